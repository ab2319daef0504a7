import Basics
import NIOCore
import TestKit
import Testing

struct `Raw JSON` {
  @Test(arguments: [
    ("{ \"a\" : [ 1 , 2.0 ] }\r\n", #"{"a":[1,2.0]}"#), ("\t\"a b\\n \"  ", #""a b\n ""#),
    ("  -1.50E+05 ", "-1.50E+05"), ("[ ]", "[]"), ("{\n}", "{}"),
    (#"{"b":1,"a":1,"b":2}"#, #"{"b":1,"a":1,"b":2}"#), (#"["\u00E9\/"]"#, #"["\u00E9\/"]"#),
    ("[\"  \\\"  \" , \" \"]", "[\"  \\\"  \",\" \"]"),
    ("123456789012345678901234567890", "123456789012345678901234567890"),
  ])
  func `removes white space outside strings and changes no token`(_ text: String, _ kept: String) {
    #expect(RawJSON(validating: ByteBuffer(string: text))?.text == kept)
  }

  @Test func `reads only the readable bytes of a slice`() {
    var buffer = ByteBuffer(string: "xx{ \"a\" : 1 }yy")
    buffer.moveReaderIndex(forwardBy: 2)
    let slice = buffer.readSlice(length: 11) ?? ByteBuffer()
    #expect(RawJSON(validating: slice)?.text == #"{"a":1}"#)
    #expect(RawJSON(validating: slice)?.member("a")?.text == "1")
  }

  @Test func `is equal when its bytes are`() {
    let one = RawJSON(validating: ByteBuffer(string: "1"))
    #expect(one == RawJSON(validating: ByteBuffer(string: " 1 ")))
    #expect(one != RawJSON(validating: ByteBuffer(string: "1.0")))
    #expect(one != RawJSON(validating: ByteBuffer(string: "\"1\"")))
    #expect(RawJSON(.string("\u{e9}")) != RawJSON(.string("e\u{301}")))
  }

  @Test func `walks members in order with unescaped keys`() {
    let json = RawJSON(
      validating: ByteBuffer(string: #"{"a":{"x":[1,{}]}, "\u0062":"t,}", "a" : null, "":[]}"#))
    var seen: [String] = []
    json?.forEachMember { key, value in seen.append("\(key)=\(value.text)") }
    #expect(seen == [#"a={"x":[1,{}]}"#, #"b="t,}""#, "a=null", "=[]"])
    #expect(json?.member("a")?.text == "null")
    #expect(json?.member("b")?.string == "t,}")
    #expect(json?.member("z") == nil)
  }

  @Test func `walks the elements of an array in order`() {
    var seen: [String] = []
    let json = RawJSON(validating: ByteBuffer(string: #"[1, "a,]", [2, {}], {"b":[3]}, null]"#))
    json?.forEachElement { seen.append($0.text) }
    #expect(seen == ["1", #""a,]""#, "[2,{}]", #"{"b":[3]}"#, "null"])
    for text in ["[]", "{\"a\":1}", "1", "\"[1]\""] {
      RawJSON(trusted: ByteBuffer(string: text)).forEachElement { seen.append($0.text) }
    }
    #expect(seen.count == 5)
  }

  @Test(arguments: [
    ("1", RawJSON.Kind.number), ("-0", .number), ("\"\"", .string), ("{}", .object),
    ("[]", .array), ("true", .bool), ("false", .bool), ("null", .null),
  ])
  func `knows its kind`(_ text: String, _ kind: RawJSON.Kind) {
    #expect(RawJSON(validating: ByteBuffer(string: text))?.kind == kind)
  }

  @Test(arguments: [
    "0", "-0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "-9223372036854775809", "99999999999999999999", "1.0", "1e3", "\"1\"", "null", "[1]",
  ])
  func `reads an integer as its value does`(_ text: String) {
    let json = RawJSON(validating: ByteBuffer(string: text))
    #expect(json?.int == json?.value.int)
  }

  @Test(arguments: [#""a""#, #""""#, #""\u0041\n\"""#, #""é€😀""#, "1", "null", "[]"])
  func `reads a string as its value does`(_ text: String) {
    let json = RawJSON(validating: ByteBuffer(string: text))
    #expect(json?.string == json?.value.string)
  }

  @Test func `finds members in one pass as one by one`() {
    let names = JSONNames("a", "b", "", "\n", "missing")
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("members"))
    let bytes = Array("{}[]\",:\\ 1\n".utf8) + [0xff]
    for round in 0..<1500 {
      let value = RandomJSON.value(using: &generator)
      var text = Array(RandomJSON.spelling(of: value, using: &generator).utf8)
      if round % 3 == 0 {
        let at = Int.random(in: 0..<text.count, using: &generator)
        text[at] = bytes[Int.random(in: 0..<bytes.count, using: &generator)]
      }
      let buffer = ByteBuffer(bytes: text)
      let raw = RawJSON(validating: buffer)
      var once = [RawJSON?](repeating: nil, count: names.count)
      let isObject = RawJSON.forEachMember(
        names, validating: buffer.readableSpan, inside: 0..<0, of: names
      ) { name, value in once[name] = value.json(in: buffer).json }
      #expect(isObject == (raw?.kind == .object))
      guard isObject, let raw else { continue }
      var twice = [RawJSON?](repeating: nil, count: names.count)
      raw.forEachMember(names) { twice[$0] = $1 }
      #expect(once == twice)
      #expect(once == ["a", "b", "", "\n", "missing"].map { raw.member($0) })
    }
  }

  @Test func `finds members inside of members as when these are read again`() throws {
    let (outer, inner) = (JSONNames("p", "r"), JSONNames("a", "b", "c", "d", "e"))
    let keys = ["a", "b", "c", "d", "e", "other", "a", "b"]
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("members of members"))
    var counts: [Int?: Int] = [:]
    for round in 0..<600 {
      let members = keys.shuffled(using: &generator).prefix(round % 7).map {
        JSONValue.Member($0, RandomJSON.value(depth: 2, using: &generator))
      }
      let value = JSONValue.object([
        .init("q", .object(members)), .init(round % 2 == 0 ? "p" : "r", .object(members)),
      ])
      var text = ByteBuffer(string: RandomJSON.spelling(of: value, using: &generator))
      if round % 3 > 0 { text = try #require(RawJSON(validating: text)).bytes }
      let isObject = RawJSON.forEachMember(
        outer, validating: text.readableSpan, inside: 0..<2, of: inner
      ) { _, placed in
        let (value, found) = placed.json(in: text)
        var (inside, again) = ([(Int, RawJSON)](), [(Int, RawJSON)]())
        value.forEachMember(inner) { again.append(($0, $1)) }
        counts[found.map { _ in again.count }, default: 0] += 1
        guard let found else { return }
        found.forEach(in: value) { inside.append(($0, $1)) }
        #expect(inside.elementsEqual(again, by: ==))
      }
      #expect(isObject)
    }
    // Up to four are noted; with more they are read again.
    #expect(Set(counts.keys) == [nil, 0, 1, 2, 3, 4])
  }

  @Test(arguments: ["[]", "1", "\"{\"", "null", "{}"])
  func `has no members when it is no object with some`(_ text: String) {
    var count = 0
    RawJSON(validating: ByteBuffer(string: text))?.forEachMember { _, _ in count += 1 }
    #expect(count == 0)
  }

  @Test func `is compact however the text was spelled`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("raw JSON"))
    for _ in 0..<400 {
      let value = RandomJSON.value(using: &generator)
      let text = RandomJSON.spelling(of: value, using: &generator)
      let raw = RawJSON(validating: ByteBuffer(string: text))
      #expect(raw?.value.text == value.text)
      #expect(raw.flatMap { RawJSON(validating: $0.bytes) } == raw)
      #expect(RawJSON(value).value.text == value.text)
    }
  }

  @Test func `agrees with the parser on damaged text`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("damaged JSON"))
    let bytes = Array("{}[]\",:\\u0 \n-1.eEtrfn\u{1}é".utf8) + [0xff]
    for _ in 0..<2000 {
      var text = Array(
        RandomJSON.spelling(of: RandomJSON.value(using: &generator), using: &generator).utf8)
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let at = Int.random(in: 0..<text.count, using: &generator)
        text[at] = bytes[Int.random(in: 0..<bytes.count, using: &generator)]
      }
      let buffer = ByteBuffer(bytes: text)
      let raw = RawJSON(validating: buffer)
      #expect((raw != nil) == (JSONValue(parsing: buffer) != nil))
      #expect(raw?.value == JSONValue(parsing: buffer))
    }
  }
}
