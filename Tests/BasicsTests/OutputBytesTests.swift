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

  @Test func `take integers of every length in a row`() {
    var bytes = OutputBytes(capacity: 0)
    var text = ""
    for length in 1...19 {
      for digit in [1, 4, 9] as [Int64] {
        var value: Int64 = 0
        for _ in 0..<length { value = value &* 10 &+ digit }
        for number in [value, -value, value / 10 * 10] {
          bytes.appendDecimal(number)
          bytes.append(0x20)
          text += "\(number) "
        }
      }
    }
    #expect(String(buffer: bytes.buffer) == text)
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

  @Test func `forget their end`() {
    var bytes = OutputBytes()
    bytes.append("/a/bcd")
    bytes.removeAll(from: 2)
    bytes.append("/ef")
    let all = bytes.span
    #expect(String(decoding: (0..<all.count).map { all[$0] }, as: UTF8.self) == "/a/ef")
  }

  @Test(arguments: [
    "", "a", "abcd", "abcdefg", "abcdefgh", "0123456789abcdef", "0123456789abcdefg",
  ])
  func `quote strings of every length`(_ text: String) {
    var bytes = OutputBytes(capacity: 0)
    bytes.appendJSONString(text.utf8Span.span)
    #expect(String(buffer: bytes.buffer) == "\"\(text)\"")
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
