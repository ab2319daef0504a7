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
    object.member("k\n", 0)
    #expect(
      String(buffer: object.finish())
        == #"{"i":-9223372036854775808,"j":7,"s":"a\"b","b":true,"c":false,"r":[1.0],"v":null,"#
        + #""a":[1,-2],"e":[],"k\n":0}"#)
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
    #expect(String(buffer: object.finish()) == "{}")
  }

  @Test func `opens its object at the end of a buffer`() {
    var object = JSONObjectWriter(into: ByteBuffer(string: "x"))
    object.member("a", 1)
    #expect(String(buffer: object.finish()) == #"x{"a":1}"#)
  }
}
