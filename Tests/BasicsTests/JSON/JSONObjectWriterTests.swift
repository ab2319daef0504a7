import Basics
import NIOCore
import Testing

struct `JSON object writer` {
  @Test func `writes members in the order they came`() {
    var object = JSONObjectWriter()
    object.member("i", Int64.min)
    object.member("j", 7)
    object.member("s", "a\"b")
    object.member("b", true)
    object.member("c", false)
    object.member("r", RawJSON(validating: ByteBuffer(string: "[1.0]")))
    object.member("v", JSONValue.null)
    object.member("a", [1, -2])
    object.member("e", [Int]())
    object.member("t", ["x", "\"", ""])
    object.member("h", [HeaderField("A", "b"), HeaderField("", "\n")])
    object.member("k\n", 0)
    #expect(
      String(buffer: object.finish())
        == #"{"i":-9223372036854775808,"j":7,"s":"a\"b","b":true,"c":false,"r":[1.0],"v":null,"#
        + #""a":[1,-2],"e":[],"t":["x","\"",""],"h":[["A","b"],["","\n"]],"k\n":0}"#)
  }

  @Test func `writes nothing for what is absent`() {
    var object = JSONObjectWriter()
    object.member("i", Int64?.none)
    object.member("j", Int?.none)
    object.member("s", String?.none)
    object.member("b", Bool?.none)
    object.member("r", RawJSON?.none)
    object.member("v", JSONValue?.none)
    object.member("a", [Int]?.none)
    object.member("t", [String]?.none)
    object.member("h", [HeaderField]?.none)
    #expect(String(buffer: object.finish()) == "{}")
  }

  @Test func `opens its object at the end of a buffer`() {
    var object = JSONObjectWriter(into: ByteBuffer(string: "x"))
    object.member("a", 1)
    #expect(String(buffer: object.finish()) == #"x{"a":1}"#)
  }

  @Test(arguments: [
    0, 1, -1, 9, 10, 99, 100, 1_000_000, -1_000_000, Int64.max, Int64.min, Int64.max / 10,
    1_000_000_000_000_000_000, 999_999_999_999_999_999, -9,
  ])
  func `writes integers as they are`(_ value: Int64) {
    var buffer = ByteBuffer()
    buffer.writeDecimal(value)
    #expect(String(buffer: buffer) == String(value))
  }

  @Test func `is empty after handing over its buffer`() {
    var object = JSONObjectWriter()
    object.member("a", 1)
    #expect(String(buffer: object.finish()) == #"{"a":1}"#)
    #expect(object.buffer.readableBytes == 0)
  }
}
