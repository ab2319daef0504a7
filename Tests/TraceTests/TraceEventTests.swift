import Basics
import NIOCore
import Testing
import Trace

struct `Trace lines` {
  static let all = [Samples.header, Samples.minimalHeader] + Samples.all

  private func event(_ text: String) throws -> TraceEvent {
    let raw = try #require(RawJSON(validating: ByteBuffer(string: text)))
    return try TraceEvent(line: raw)
  }

  @Test(arguments: all)
  func `are written with all they hold`(_ sample: Sample) {
    #expect(sample.event.line.text == sample.text)
  }

  @Test(arguments: all)
  func `are read as they were written`(_ sample: Sample) throws {
    #expect(try event(sample.text) == sample.event)
  }

  @Test(arguments: all)
  func `are read in any order of keys`(_ sample: Sample) throws {
    let members = try #require(JSONValue(parsing: sample.text)?.members)
    let reversed = try event(JSONValue.object(members.reversed()).text)
    #expect(reversed.type == sample.event.type)
    // A line that is not understood stays as it is, order and all.
    if case .unknown = reversed { return }
    #expect(reversed.line.value.sortedKeys == sample.event.line.value.sortedKeys)
  }

  @Test(arguments: all)
  func `name their type`(_ sample: Sample) throws {
    #expect(JSONValue(parsing: sample.text)?["type"]?.string == sample.event.type)
  }

  @Test(arguments: all)
  func `append themselves to what is written`(_ sample: Sample) {
    var writer = JSONWriter()
    writer.append(RawJSON(.string("before")))
    sample.event.write(to: &writer)
    #expect(String(buffer: writer.bytes.buffer) == "\"before\"" + sample.text)
  }

  @Test(arguments: all)
  func `need each of their required keys`(_ sample: Sample) throws {
    guard sample.name.hasPrefix("minimal") else { return }
    let members = try #require(JSONValue(parsing: sample.text)?.members)
    let optional = ["counts", "loss", "evidence"]
    for member in members where !optional.contains(member.key) {
      let rest = JSONValue.object(members.filter { $0.key != member.key })
      let raw = RawJSON(rest)
      #expect(throws: TraceFormatError(.missing(key: member.key))) { try TraceEvent(line: raw) }
    }
  }

  @Test(arguments: all)
  func `refuse values of another kind`(_ sample: Sample) throws {
    guard sample.name.hasPrefix("full") else { return }
    let members = try #require(JSONValue(parsing: sample.text)?.members)
    let free = [
      "id", "params", "result", "error", "uses", "tls", "redaction", "later", "k\"2",
    ]
    for (i, member) in members.enumerated() where !free.contains(member.key) {
      var changed = members
      changed[i].value = .array([.bool(true)])
      let raw = RawJSON(.object(changed))
      let error = #expect(throws: TraceFormatError.self) { try TraceEvent(line: raw) }
      guard case .wrongType(let key, _) = error?.reason else {
        Issue.record("\(member.key): \(String(describing: error))")
        continue
      }
      #expect(key == member.key)
    }
  }

  @Test func `take the last of duplicate keys`() throws {
    #expect(
      try event(#"{"type":"x","t":1,"type":"loss","kind":"a","t":2,"kind":"b"}"#)
        == .loss(LossLine(t: 2, kind: "b")))
  }

  @Test func `take escaped keys`() throws {
    #expect(
      try event(#"{"t\u0079pe":"loss","\u0074":1,"kind":"a"}"#) == .loss(LossLine(t: 1, kind: "a")))
  }

  @Test(arguments: ["1.0", "1e3", "\"1\"", "null", "9223372036854775808", "true", "[]"])
  func `take whole numbers of 64 bits alone as times`(_ value: String) throws {
    let raw = try #require(
      RawJSON(validating: ByteBuffer(string: #"{"type":"loss","t":\#(value),"kind":"a"}"#)))
    #expect(throws: TraceFormatError(.wrongType(key: "t", expected: "an integer"))) {
      try TraceEvent(line: raw)
    }
  }

  @Test(arguments: ["1e999", "-0.5", "1.01", "\"1\"", "-1e400"])
  func `take a confidence from 0 to 1 alone`(_ value: String) throws {
    let key = #"{"by":"task","evidence":[],"confidence":\#(value)}"#
    let raw = try #require(
      RawJSON(
        validating: ByteBuffer(
          string: #"{"type":"end","session":"s","t":1,"how":"idle","key":\#(key)}"#)))
    let expected = TraceFormatError.Reason.wrongType(
      key: "confidence", expected: "a number from 0 to 1")
    #expect(throws: TraceFormatError(expected)) { try TraceEvent(line: raw) }
  }

  @Test(arguments: ["[]", "1", "\"a\"", "null", "true"])
  func `are objects`(_ text: String) throws {
    let raw = try #require(RawJSON(validating: ByteBuffer(string: text)))
    #expect(throws: TraceFormatError(.notJSON)) { try TraceEvent(line: raw) }
  }

  @Test func `tell which requests are logical calls`() {
    var line = RequestLine(
      session: "s", n: 1, t: 0, dir: .c2s, id: RawJSON(.int(1)), method: "tools/call")
    #expect(!line.isLogicalCall)
    line.origin = .agent
    #expect(line.isLogicalCall)
    for change in [
      { $0.dir = .s2c }, { $0.method = "ping" }, { $0.origin = .sdk }, { $0.continues = 1 },
      { $0.retryOf = 1 },
    ] as [(inout RequestLine) -> Void] {
      var other = line
      change(&other)
      #expect(!other.isLogicalCall)
    }
  }

  @Test func `of a session are read together, the last value of a key wins`() {
    var first = SessionLine(session: "s1", t: 5, transport: .streamableHTTP)
    first.path = "/a"
    first.client = Implementation(name: "c", version: "1")
    first.start = .cut
    first.revision = "1"
    first.continues = true
    first.extra = [
      ExtraMember(key: "a", value: RawJSON(.int(1))),
      ExtraMember(key: "b", value: RawJSON(.int(1))),
    ]
    var later = SessionLine(session: "s1", t: 9, transport: .streamableHTTP)
    later.path = "/b"
    later.agent = "a1"
    later.start = .seen
    later.nextN = 4
    later.extra = [ExtraMember(key: "a", value: RawJSON(.int(2)))]
    var expected = later
    expected.t = 5
    expected.client = first.client
    expected.revision = "1"
    expected.continues = first.continues
    expected.nextN = nil
    expected.extra = [
      ExtraMember(key: "b", value: RawJSON(.int(1))),
      ExtraMember(key: "a", value: RawJSON(.int(2))),
    ]
    #expect(first.updated(by: later) == expected)
  }
}

extension JSONValue {
  /// The same with the members of every object in the order of their keys.
  fileprivate var sortedKeys: JSONValue {
    switch self {
    case .object(let members):
      .object(
        members.map { Member($0.key, $0.value.sortedKeys) }.sorted { $0.key < $1.key })
    case .array(let elements): .array(elements.map(\.sortedKeys))
    default: self
    }
  }
}
