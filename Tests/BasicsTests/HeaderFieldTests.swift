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
