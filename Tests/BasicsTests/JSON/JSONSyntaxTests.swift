import Basics
import NIOCore
import Testing

/// What RFC 8259 takes and refuses; scanning, keeping and parsing must agree.
struct `JSON syntax` {
  static let valid = [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "123456789012345678901234567890", "0.5",
    "1.0", "-0.0e-0", "1e5", "1E5", "1e+5", "1e-5", "0e1", "1.5e300", "1e99999", "\"\"", "\"a\"",
    "\"\\\"\"", "\"\\\\\"", "\"\\/\"", "\"\\b\\f\\n\\r\\t\"", "\"\\u0000\"", "\"\\uD83D\\ude00\"",
    "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud800\\u0041\"", "\"\u{7f}\"", "\"é€😀\"",
    "\"\u{2028}\u{2029}\"", "[]", "[1]", "[1,2]", "[[]]", "{}", "{\"a\":1}", "{\"\":0}",
    "{\"a\":{\"b\":[]}}", "{\"a\":1,\"a\":2}", "{\"\\u0061\":1}", " 1 ",
    "\t\r\n [ \t\r\n ] \t\r\n ",
    "{ \"a\" : 1 , \"b\" : 2 }", "[null,true,false,\"\",0]",
  ]

  static let invalid = [
    "", " ", "\u{feff}1", "nul", "nulL", "nullx", "True", "tru", "falsy", "falsee", "NaN",
    "Infinity",
    "-Infinity", "undefined", "+1", "-", "--1", "01", "-01", "00", "1.", ".5", "-.5", "1.e5", "1e",
    "1e+", "1e-", "1e5.5", "0x10", "1_000", "1,", "1 2", "1a", "\"", "\"a", "'a'", "\"\\\"",
    "\"\\\\\\\"", "\"\\x\"", "\"\\U0041\"", "\"\\u\"", "\"\\u004\"", "\"\\u00g1\"", "\"\\u 041\"",
    "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\u{1f}\"", "\"a\"\"b\"", "\"a\" x", "[", "]", "[1", "[1,",
    "[1,]",
    "[,1]", "[,]", "[1 2]", "[1,,2]", "[1}", "[1]]", "[\"a\"", "{", "}", "{\"a\"", "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\"1}", "{\"a\" 1}", "{\"a\"::1}", "{a:1}", "{1:1}",
    "{\"a\":1]", "{\"a\":1}}", "{\"a\":1 \"b\":2}", "{'a':1}", "{\"a\":}", "{null:1}", "{}{}",
    "/* */1", "1//", "[1]\u{0}", "\u{0}", "\u{a0}1", "[\u{c}1]",
  ]

  /// Bytes that are not UTF-8, inside what would otherwise be JSON.
  static let notUTF8: [[UInt8]] = [
    [0xff], [0x80], [0xc0, 0xaf], [0xc1, 0xbf], [0xe2, 0x82], [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xf0, 0x80, 0x80, 0xaf], [0xe9],
  ].map { [0x22] + $0 + [0x22] }

  @Test(arguments: valid)
  func `takes what the grammar allows`(_ text: String) {
    let buffer = ByteBuffer(string: text)
    #expect(RawJSON(validating: buffer) != nil)
    #expect(JSONValue(parsing: buffer) != nil)
  }

  @Test(arguments: invalid)
  func `refuses what the grammar does not allow`(_ text: String) {
    let buffer = ByteBuffer(string: text)
    #expect(RawJSON(validating: buffer) == nil)
    #expect(JSONValue(parsing: buffer) == nil)
  }

  @Test(arguments: valid)
  func `refuses every text that is cut short`(_ text: String) {
    // A number cut short may still be one.
    guard let first = text.utf8.first(where: { $0 > 0x20 }), "\"[{tfn".utf8.contains(first) else {
      return
    }
    let whole = Array(text.utf8)
    let end = (whole.lastIndex { $0 > 0x20 } ?? 0)
    for count in 0..<end {
      #expect(RawJSON(validating: ByteBuffer(bytes: whole[..<count])) == nil)
      #expect(JSONValue(parsing: ByteBuffer(bytes: whole[..<count])) == nil)
    }
  }

  @Test(arguments: notUTF8)
  func `refuses what is not UTF-8`(_ bytes: [UInt8]) {
    #expect(RawJSON(validating: ByteBuffer(bytes: bytes)) == nil)
    #expect(JSONValue(parsing: ByteBuffer(bytes: bytes)) == nil)
  }

  @Test func `refuses nesting beyond the limit and not before`() {
    for (open, close, inner) in [("[", "]", ""), ("{\"a\":", "}", "0"), ("[{\"a\":", "}]", "0")] {
      let levels = JSONScan.depthLimit / (open.utf8.contains(0x5b) && open.utf8.count > 1 ? 2 : 1)
      func nested(_ count: Int) -> ByteBuffer {
        ByteBuffer(
          string: String(repeating: open, count: count) + inner
            + String(repeating: close, count: count))
      }
      // The value inside an object is one level deeper than its braces.
      let deepest = inner.isEmpty ? levels : levels - 1
      #expect(RawJSON(validating: nested(deepest)) != nil)
      #expect(JSONValue(parsing: nested(deepest)) != nil)
      #expect(RawJSON(validating: nested(levels + 1)) == nil)
      #expect(JSONValue(parsing: nested(levels + 1)) == nil)
      #expect(RawJSON(validating: nested(200_000)) == nil)
      #expect(JSONValue(parsing: nested(200_000)) == nil)
    }
  }

  @Test func `refuses an endless opening without running out of stack`() {
    let bytes = ByteBuffer(repeating: 0x5b, count: 1 << 20)
    #expect(RawJSON(validating: bytes) == nil)
    #expect(JSONValue(parsing: bytes) == nil)
  }
}
