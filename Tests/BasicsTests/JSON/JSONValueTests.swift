import Basics
import NIOCore
import TestKit
import Testing

struct `JSON value` {
  @Test(arguments: [
    (#""a\"\\\/b""#, "a\"\\/b"), (#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"), (#""\u0041\u00e9""#, "Aé"),
    (#""\u0000""#, "\u{0}"), (#""\ud83d\ude00!""#, "😀!"), (#""\uD83D\uDE00""#, "😀"),
    (#""\ud83d""#, "\u{fffd}"), (#""\ude00x""#, "\u{fffd}x"), (#""\ud83dx""#, "\u{fffd}x"),
    (#""\ud83d\u0041""#, "\u{fffd}A"), (#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
    (#""\ud83d\n""#, "\u{fffd}\n"), (#""\udbff\udfff""#, "\u{10ffff}"), (#""\uffff""#, "\u{ffff}"),
    (#""\u000""# + "0\"", "\u{0}"),
  ])
  func `resolves escapes`(_ text: String, _ expected: String) {
    let scalars = JSONValue(parsing: text)?.string.map { Array($0.unicodeScalars) }
    let isValid = !text.hasSuffix("\"0\"")
    #expect(scalars == (isValid ? Array(expected.unicodeScalars) : nil))
  }

  @Test func `keeps number tokens`() {
    let text = #"[1.0,1e5,-0,12345678901234567890123,0.10,1E+2]"#
    #expect(JSONValue(parsing: text)?.text == text)
    #expect(JSONValue(parsing: text)?[3] == .number("12345678901234567890123"))
  }

  @Test func `reads numbers that fit`() {
    #expect(JSONValue.number("9223372036854775807").int == .max)
    #expect(JSONValue.number("9223372036854775808").int == nil)
    #expect(JSONValue.number("1.0").int == nil)
    #expect(JSONValue.number("1e400").double == .infinity)
    #expect(JSONValue.number("-2.5e-1").double == -0.25)
    #expect(JSONValue.string("1").int == nil)
  }

  @Test func `looks up the last of duplicate keys and keeps all`() {
    let value = JSONValue(parsing: #"{"a":1,"b":2,"\u0061":3}"#)
    #expect(value?["a"] == .int(3))
    #expect(value?["c"] == nil)
    #expect(value?.members?.map(\.key) == ["a", "b", "a"])
    #expect(value?.text == #"{"a":1,"b":2,"a":3}"#)
  }

  @Test func `answers nil for the wrong kind`() {
    let value = JSONValue(parsing: "[true,null]")
    #expect(value?[0]?.bool == true)
    #expect(value?[2] == nil)
    #expect(value?[-1] == nil)
    #expect(value?["a"] == nil)
    #expect(value?.string == nil)
    #expect(value?[1]?.array == nil)
    #expect(value?[1]?.members == nil)
  }

  @Test func `escapes what must be escaped and nothing else`() {
    let text = "\"\\\u{0}\u{1f}\u{8}\n\r\t/\u{7f}é\u{2028}😀"
    #expect(
      JSONValue.string(text).text == #""\"\\\u0000\u001f\u0008\n\r\t/"# + "\u{7f}é\u{2028}😀\"")
  }

  @Test func `survives random spellings`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("JSON value"))
    for _ in 0..<400 {
      let value = RandomJSON.value(using: &generator)
      let text = RandomJSON.spelling(of: value, using: &generator)
      #expect(JSONValue(parsing: text)?.text == value.text)
      #expect(JSONValue(parsing: value.text)?.text == value.text)
    }
  }
}
