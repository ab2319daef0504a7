import Basics
import NIOCore
import Testing

struct `Output bytes` {
  @Test(arguments: [
    0, 1, -1, 9, 10, 99, 100, 1_000_000, -1_000_000, Int64.max, Int64.min, Int64.max / 10,
    1_000_000_000_000_000_000, 999_999_999_999_999_999, -9,
  ])
  func `take integers as they are`(_ value: Int64) {
    var bytes = OutputBytes()
    bytes.appendDecimal(value)
    #expect(String(buffer: bytes.buffer) == String(value))
  }

  @Test func `grow as much as they must`() {
    var bytes = OutputBytes(capacity: 0)
    let text = Array(repeating: UInt8(0x61), count: 1000)
    for _ in 0..<10 { bytes.append(text.span) }
    bytes.append(text.span, 1..<4)
    bytes.append(0x62)
    bytes.append("")
    bytes.append("cd")
    #expect(bytes.count == 10_006)
    #expect(String(buffer: bytes.buffer) == String(repeating: "a", count: 10_003) + "bcd")
    bytes.removeAll()
    #expect(bytes.buffer.readableBytes == 0)
  }

  @Test(arguments: [
    ("", #""""#), ("plain", #""plain""#), ("\"", #""\"""#), ("a\\", #""a\\""#),
    ("0123456\n89012345\u{1}\t\r", #""0123456\n89012345\u0001\t\r""#),
    ("\u{1f}\u{7f}é/", "\"\\u001f\u{7f}é/\""), ("\u{0}x\u{1b}", #""\u0000x\u001b""#),
  ])
  func `escape what JSON strings must`(_ text: String, _ expected: String) {
    var bytes = OutputBytes()
    bytes.appendJSONString(text.utf8Span.span)
    #expect(String(buffer: bytes.buffer) == expected)
  }
}
