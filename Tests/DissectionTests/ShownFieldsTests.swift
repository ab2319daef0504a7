import Basics
import Dissection
import Redaction
import Testing

struct `Shown header fields` {
  private let redactor = Redactor(key: RedactionKey(bytes: [1, 2, 3]))

  /// Fields in which the length varies.
  private func block(_ secret: String) -> HeaderBlock {
    var draft = HeaderDraft()
    draft.append(HeaderField("Mcp-Session-Id", secret))
    draft.append(HeaderField("Content-Length", "1"))
    draft.vary(1)
    return draft.block
  }

  private func digits(_ text: String) -> HeaderFields.Digits { .init(Array(text.utf8).span) }

  @Test func `are redacted, and have their own length`() {
    let shown = ShownFields(redactor)
    let block = block("secret")
    for length in ["1", "23", "456"] {
      let fields = shown.of(HeaderFields(block, varied: digits(length)))
      #expect(
        fields == [
          HeaderField("Mcp-Session-Id", redactor.surrogate("secret")),
          HeaderField("Content-Length", length),
        ])
    }
    #expect(shown.of(HeaderFields(block)).last?.value == "1")
  }

  @Test func `are the same for messages that share a block`() {
    let shown = ShownFields(redactor)
    let block = block("a")
    let one = shown.of(HeaderFields(block, varied: digits("5")))
    let other = shown.of(HeaderFields(block, varied: digits("6")))
    #expect(one.block === other.block && one.block.json != nil)
  }

  @Test func `are not mixed up, however many there are`() {
    let shown = ShownFields(nil)
    let blocks = (0..<5000).map { block("\($0)") }
    for _ in 0..<2 {
      for (i, block) in blocks.enumerated() {
        #expect(shown.of(HeaderFields(block)).first(.mcpSessionID) == "\(i)")
      }
    }
  }
}
