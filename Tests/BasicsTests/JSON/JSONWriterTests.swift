import Basics
import NIOCore
import Testing

struct `JSON writer` {
  @Test func `writes members in the order they came`() {
    let object = JSONWriter.object { object in
      object.member("i", Int64.min)
      object.member("j", 7)
      object.member("s", "a\"b")
      object.member("l", literal: "x y")
      object.member("b", true)
      object.member("c", false)
      object.member("r", RawJSON(validating: ByteBuffer(string: "[1.0]")))
      object.member("v", JSONValue.null)
      object.null("w")
      object.member("a", [1, -2])
      object.member("e", [Int]())
      object.member("t", ["x", "\"", ""])
      object.member("h", [HeaderField("A", "b"), HeaderField("", "\n")] as HeaderFields)
      object.member("o") {
        $0.member("p", 1)
        $0.member("q") { _ in }
      }
      object.member(named: "k\n", RawJSON(.int(0)))
    }
    #expect(
      object.text
        == #"{"i":-9223372036854775808,"j":7,"s":"a\"b","l":"x y","b":true,"c":false,"r":[1.0],"v":null,"#
        + #""w":null,"a":[1,-2],"e":[],"t":["x","\"",""],"h":[["A","b"],["","\n"]],"#
        + #""o":{"p":1,"q":{}},"k\n":0}"#)
  }

  @Test func `writes nothing for what is absent`() {
    let object = JSONWriter.object { object in
      object.member("i", Int64?.none)
      object.member("j", Int?.none)
      object.member("s", String?.none)
      object.member("b", Bool?.none)
      object.member("r", RawJSON?.none)
      object.member("v", JSONValue?.none)
      object.member("a", [Int]?.none)
      object.member("t", [String]?.none)
      object.member("h", HeaderFields?.none)
    }
    #expect(object.text == "{}")
  }

  @Test func `writes lines one behind the other, and forgets them`() {
    var writer = JSONWriter(capacity: 1)
    for n in 1...2 {
      writer.open()
      writer.member("n", n)
      writer.close()
      writer.endLine()
    }
    writer.append(RawJSON(.array([])))
    #expect(String(buffer: writer.bytes.buffer) == "{\"n\":1}\n{\"n\":2}\n[]")
    writer.removeAll()
    #expect(writer.bytes.count == 0)
  }
}
