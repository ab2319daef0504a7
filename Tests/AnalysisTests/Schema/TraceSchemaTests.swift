import Analysis
import Basics
import Testing
import Trace

/// Holds the schema that ships and the writer together.
struct `Trace schema` {
  /// Required keys of every type, as the format defines them.
  static let required: [String: [String]] = [
    "header": ["type", "format", "version", "recorder", "source", "t0"],
    "connection": ["type", "conn", "t", "client", "server"],
    "session": ["type", "session", "t", "transport"],
    "request": ["type", "session", "n", "t", "dir", "id", "method"],
    "response": ["type", "session", "n", "re", "t", "dir", "outcome"],
    "notification": ["type", "session", "n", "t", "dir", "method"],
    "http": ["type", "x", "conn", "t", "method", "target", "role"],
    "sse": ["type", "x", "t", "kind"],
    "exchange": ["type", "x", "conn", "t", "method", "target", "request", "response"],
    "loss": ["type", "t", "kind"],
    "end": ["type", "session", "t", "how", "key"],
    "footer": ["type", "counts", "bytes_in", "bytes_explained", "loss"],
  ]

  /// Keys whose value is one of a list.
  static let choices: [String: [String]] = [
    "header": ["source", "payloads"], "connection": ["protocol"],
    "session": ["transport", "start"], "request": ["dir", "origin", "after_by", "via"],
    "response": ["dir", "outcome", "by", "via"], "notification": ["dir", "via"],
    "http": ["role"], "sse": ["kind"], "end": ["how"],
  ]

  private let text: JSONValue
  private let schema: JSONSchema

  init() throws {
    text = try #require(JSONValue(parsing: TraceSchema.text))
    schema = try JSONSchema(text)
  }

  @Test(arguments: PopulatedLines.all)
  func `accepts what the writer writes`(line: PopulatedLine) {
    #expect(schema.check(line.event.line.value)?.description == nil)
  }

  @Test(arguments: PopulatedLines.all)
  func `names the keys that the writer writes`(line: PopulatedLine) throws {
    let properties = try #require(text["$defs"]?[line.event.type]?["properties"]?.members)
    let written = try #require(line.event.line.value.members)
    #expect(Set(written.map(\.key)) == Set(properties.map(\.key)))
  }

  @Test(arguments: PopulatedLines.all)
  func `needs the required keys and no others`(line: PopulatedLine) throws {
    let members = try #require(line.event.line.value.members)
    let needed = members.map(\.key).filter { key in
      schema.check(.object(members.filter { $0.key != key })) != nil
    }
    #expect(Set(needed) == Set(try #require(Self.required[line.event.type])))
  }

  @Test(arguments: PopulatedLines.all)
  func `refuses values outside a list`(line: PopulatedLine) throws {
    let members = try #require(line.event.line.value.members)
    let refused = members.map(\.key).filter { key in
      let changed = members.map { $0.key == key ? .init(key, .string("nonsense")) : $0 }
      return schema.check(.object(changed))?.description.contains("is none of") ?? false
    }
    #expect(Set(refused) == Set(Self.choices[line.event.type] ?? []))
  }

  @Test(arguments: PopulatedLines.all)
  func `allows keys of later versions`(line: PopulatedLine) throws {
    let members = try #require(line.event.line.value.members)
    #expect(schema.check(.object(members + [.init("later", .bool(true))])) == nil)
  }

  @Test func `allows lines of types that it does not know`() {
    #expect(schema.check(.object([.init("type", .string("later"))])) == nil)
  }

  @Test func `knows the choices of the model`() throws {
    func values(_ path: String...) throws -> [String] {
      var value = try #require(text["$defs"])
      for key in path { value = try #require(value[key]) }
      return try #require(value["enum"]?.array).compactMap(\.string)
    }
    func names<E: RawRepresentable & CaseIterable>(_: E.Type) -> [String]
    where E.RawValue == String { E.allCases.map(\.rawValue) }
    #expect(try values("via") == names(Via.self))
    #expect(try values("key", "properties", "by") == names(SessionKey.By.self))
    #expect(try values("request", "properties", "origin") == names(Origin.self))
    #expect(try values("request", "properties", "after_by") == names(AfterReason.self))
    #expect(try values("response", "properties", "outcome") == names(Outcome.self))
    #expect(try values("response", "properties", "by") == names(ResponseLine.EndedBy.self))
    #expect(try values("header", "properties", "source") == names(HeaderLine.Source.self))
    #expect(try values("header", "properties", "payloads") == names(HeaderLine.Payloads.self))
    #expect(
      try values("connection", "properties", "protocol") == names(ConnectionLine.Content.self))
    #expect(try values("session", "properties", "transport") == names(SessionLine.Transport.self))
    #expect(try values("session", "properties", "start") == names(SessionLine.Start.self))
    #expect(try values("http", "properties", "role") == names(HTTPLine.Role.self))
    #expect(try values("sse", "properties", "kind") == names(SSELine.Kind.self))
    #expect(try values("end", "properties", "how") == names(EndLine.How.self))
  }
}
