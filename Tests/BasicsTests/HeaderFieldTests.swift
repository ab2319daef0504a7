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
    var fields = HeaderFields(lyingIn: text.span)
    fields.add(name: 0..<4, value: 6..<7)
    fields.add(name: 9..<12, value: 15..<16)
    fields.add(name: 19..<23, value: 25..<26)
    return fields
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
    var fields = lying
    fields.setValue(0, Array("z".utf8).span)
    fields.setValue(1, Array("longer".utf8).span)
    fields.append(HeaderField("n", "v"))
    #expect(
      fields == [
        HeaderField("Host", "z"), HeaderField("X-y", "longer"), HeaderField("host", "c"),
        HeaderField("n", "v"),
      ])
    #expect(lying.first("x-y") == "b")
  }
}
