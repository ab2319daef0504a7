import Basics
import MCP
import NIOCore
import TestKit
import Testing
import Trace

/// Paths of values: how they are written, and where they lead.
struct `Value paths` {
  private func json(_ text: String) throws -> RawJSON {
    try #require(RawJSON(validating: ByteBuffer(string: text)))
  }

  @Test(
    arguments: [
      ("", []), ("/", [.child("")]), ("/a/0", [.child("a"), .child("0")]),
      ("/a~1b~0c~2d", [.child("a/b~c#d")]), ("#", [.json]),
      ("/t#/x", [.child("t"), .json, .child("x")]),
      ("/t##/x#", [.child("t"), .json, .json, .child("x"), .json]),
      ("/ü/", [.child("ü"), .child("")]),
    ] as [(String, [ValuePath.Step])])
  func `a path is read and written`(_ text: String, _ steps: [ValuePath.Step]) {
    #expect(ValuePath(text)?.steps == steps)
    #expect(ValuePath(steps: steps).description == text)
  }

  @Test(arguments: [
    "a", "/a~", "/a~3", "~0", "#a", "/t#x", "/a~#", String(repeating: "/a", count: 600),
    String(repeating: "#", count: 9),
  ])
  func `what is no path is none`(_ text: String) { #expect(ValuePath(text) == nil) }

  @Test(
    arguments: [
      ("/a/b", #"{"a":{"b":1.0}}"#, "1.0"), ("/a/1", #"{"a":["x","y"]}"#, #""y""#),
      ("/a/1", #"{"a":{"1":true}}"#, "true"), ("", "[1]", "[1]"),
      ("/a~1b", #"{"a\/b":12345678901234567890}"#, "12345678901234567890"),
      ("/t#/id", #"{"t":"{ \"id\" : \"x\\u0041\" }"}"#, #""x\u0041""#),
      ("/t#/u#/v", #"{"t":"{\"u\":\"[{\\\"v\\\":7}]\"}"}"#, nil),
      ("/t#/u#/0/v", #"{"t":"{\"u\":\"[{\\\"v\\\":7}]\"}"}"#, "7"),
      ("/a", #"{"a":1,"a":2}"#, "2"), ("/a/-", #"{"a":[1]}"#, nil), ("/a/01", #"{"a":[1,2]}"#, nil),
      ("/a/1", #"{"a":[1]}"#, nil), ("/a/+0", #"{"a":[1]}"#, nil), ("/a/b", #"{"a":"b"}"#, nil),
      ("/a#", #"{"a":"no json"}"#, nil), ("/a#", #"{"a":5}"#, nil), ("/a#", #"{"a":"5"}"#, "5"),
      ("/a/99999999999999999999", #"{"a":[1]}"#, nil),
    ] as [(String, String, String?)])
  func `a path leads to a token or nowhere`(_ path: String, _ text: String, _ found: String?) throws
  {
    let path = try #require(ValuePath(path))
    #expect(path.value(in: try json(text))?.text == found)
  }

  @Test func `the place of a token is in the whole text`() throws {
    let text = #"{"name":"t","arguments":{"list":[1, {"id": "héé"}],"id":"x#"}}"#
    let compact = try json(text)
    for path in ["/arguments/list/1/id", "/name", "/arguments/id", "/arguments/list/0"] {
      let path = try #require(ValuePath(path))
      let place = try #require(path.place(in: compact))
      #expect(compact.slice(place.lowerBound, place.upperBound) == path.value(in: compact))
      let spaced = RawJSON(trusted: ByteBuffer(string: text))
      let other = try #require(path.place(in: spaced))
      #expect(spaced.slice(other.lowerBound, other.upperBound) == path.value(in: compact))
    }
    #expect(try #require(ValuePath("/arguments/id#/x")).place(in: compact) != nil)
  }

  @Test func `every scalar is found by the path that leads there`() throws {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<200 {
      let value = RandomJSON.value(using: &random)
      let json = RawJSON(value)
      visit(value, []) { steps, leaf in
        let path = ValuePath(ValuePath(steps: steps).description)
        #expect(path?.steps == steps)
        #expect(path?.value(in: json)?.value == leaf)
      }
    }
  }

  /// Visits all values but members that another one of the same name hides.
  private func visit(
    _ value: JSONValue, _ steps: [ValuePath.Step], _ take: ([ValuePath.Step], JSONValue) -> Void
  ) {
    take(steps, value)
    for (i, element) in (value.array ?? []).enumerated() {
      visit(element, steps + [.child("\(i)")], take)
    }
    for member in value.members ?? [] where value[member.key] == member.value {
      visit(member.value, steps + [.child(member.key)], take)
    }
  }

  @Test func `hostile texts lead nowhere`() throws {
    let path = try #require(ValuePath("/a/0#/b"))
    var random = SeededGenerator(seed: 3)
    let seed = Array(#"{"a":["{\"b\":\"\ud800x\"}",[[]]],"a":[]}"#.utf8)
    for _ in 0..<5000 {
      var bytes = seed
      for _ in 0...Int.random(in: 0...3, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        if Bool.random(using: &random) {
          bytes[at] = UInt8.random(in: 0...255, using: &random)
        } else {
          bytes.removeSubrange(at...)
          if bytes.isEmpty { bytes = [0x5b] }
        }
      }
      // Trusted wrongly: nothing traps, whatever is found.
      let json = RawJSON(trusted: ByteBuffer(bytes: bytes))
      if let found = path.value(in: json) { #expect(found.bytes.readableBytes > 0) }
      if let place = path.place(in: json) { #expect(place.upperBound <= bytes.count) }
    }
    let deep = String(repeating: "[", count: 511) + String(repeating: "]", count: 511)
    let down = ValuePath(steps: Array(repeating: .child("0"), count: 510))
    #expect(down.value(in: try json(deep))?.text == "[]")
  }
}
