import Basics
import Testing

struct `A header field` {
  @Test func `is named without regard to case`() {
    let field = HeaderField("Mcp-Session-Id", "a")
    #expect(field.named("mcp-session-id"))
    #expect(field.named("MCP-SESSION-ID"))
    #expect(!field.named("mcp-session-i"))
    #expect(!field.named("mcp-session_id"))
    // 0x40 and 0x60 differ in the bit that makes a letter lower case, but are none.
    #expect(!HeaderField("a@", "").named("a`"))
    // The Kelvin sign lower-cases to k, but not in ASCII.
    #expect(!HeaderField("\u{212a}", "").named("k"))
  }

  @Test func `is found first in wire order`() {
    let fields = [HeaderField("b", "0"), HeaderField("A", "1"), HeaderField("a", "2")]
    #expect(fields.first("a") == "1")
    #expect(fields.first("c") == nil)
    #expect([HeaderField]().first("a") == nil)
  }
}

struct `Header fields` {
  private let text = Array("Host: a\r\nX-y:  b \r\nhost: c\r\n".utf8)

  private var lying: HeaderFields {
    var draft = HeaderDraft(lyingIn: text.span)
    draft.add(name: 0..<4, value: 6..<7)
    draft.add(name: 9..<12, value: 15..<16)
    draft.add(name: 19..<23, value: 25..<26)
    return HeaderFields(draft.block)
  }

  @Test func `are the same wherever they lie`() {
    let made: HeaderFields = [
      HeaderField("Host", "a"), HeaderField("X-y", "b"), HeaderField("host", "c"),
    ]
    #expect(lying == made)
    #expect(Set([lying]).contains(made))
    #expect(Array(lying) == Array(made))
    #expect(lying != [])
  }

  @Test func `are found by name without case`() {
    #expect(lying.first("HOST") == "a")
    #expect(lying.indices(named: "hOst") == [0, 2])
    #expect(lying.isNamed(1, "x-Y") && !lying.isNamed(1, "x-z"))
    #expect(lying.firstIndex(named: "x-y") == 1)
    #expect(lying.first("x-z") == nil)
    #expect(lying.first("hos") == nil)
  }

  @Test func `take other values`() {
    var draft = HeaderDraft(lying.block)
    draft.setValue(0, Array("z".utf8).span)
    draft.setValue(1, Array("longer".utf8).span)
    draft.append(HeaderField("n", "v"))
    #expect(
      HeaderFields(draft.block) == [
        HeaderField("Host", "z"), HeaderField("X-y", "longer"), HeaderField("host", "c"),
        HeaderField("n", "v"),
      ])
    #expect(lying.first("x-y") == "b")
  }

  @Test func `are found by the names that are asked for in every message`() {
    for field in KnownField.allCases {
      let name = field.rawValue.uppercased()
      let fields: HeaderFields = [
        HeaderField("x", "0"), HeaderField(name, "Ab"), HeaderField(name, "2"),
      ]
      #expect(fields.firstIndex(field) == 1)
      #expect(fields.first(field) == "Ab")
      #expect(fields.has(field) && !lying.has(.upgrade))
      #expect(fields.begins(field, with: "ab") && !fields.begins(field, with: "abc"))
      let other: HeaderFields = [HeaderField(String(name.dropLast()) + "_", "1")]
      #expect(KnownField.allCases.allSatisfy { !other.has($0) })
    }
  }

  /// Fields that share a block in which the second one's value varies.
  private func sharing(_ digits: String) -> HeaderFields {
    var draft = HeaderDraft(lying.block)
    draft.vary(1)
    return HeaderFields(draft.block, varied: .init(Array(digits.utf8).span))
  }

  @Test func `differ in the value that varies`() {
    #expect(sharing("12")[1] == HeaderField("X-y", "12"))
    #expect(sharing("12").first("x-y") == "12")
    #expect(Array(sharing("7")).map(\.value) == ["a", "7", "c"])
    #expect(sharing("7") != sharing("8") && sharing("7") == sharing("7"))
    // A block in which none varies has its own values.
    #expect(HeaderFields(lying.block, varied: .init(Array("9".utf8).span)) == lying)
    // Whatever is replaced is the same for all.
    var draft = HeaderDraft(sharing("1").block)
    draft.setValue(1, Array("-".utf8).span)
    #expect(sharing("1").replacing(draft.block)[1].value == "-")
  }

  @Test(arguments: ["1", "23", "123456789012345"])
  func `are the same as JSON, made once or each time`(
    _ digits: String
  ) {
    let fields = sharing(digits)
    let rendered = fields.replacing(fields.block.rendered())
    #expect(rendered == fields)
    for (one, other) in [(fields, rendered), (lying, HeaderFields(lying.block.rendered()))] {
      #expect(
        JSONWriter.object { $0.member("h", one) } == JSONWriter.object { $0.member("h", other) })
    }
  }
}
