public import Basics
public import MCP
import NIOCore

/// What agents have of their own, a row each (`--feed`): rows are given in order of the agents' start, again from the first when
/// there are no more.
///
/// A column's name says where its values go. A cell without a value leaves there what the request has without the feed.
public struct Feed: Hashable, Sendable {
  /// Where a column's values go.
  public enum Column: Hashable, Sendable {
    /// A header field of each request.
    case header(String)
    /// A place in the params of a `tools/call`, where the recorded params have it.
    case argument(ValuePath)
    /// The client's name in `initialize`, and in `_meta` of requests that carry it.
    case clientName
    /// The client's version there.
    case clientVersion
  }

  /// Why a text is no feed.
  public struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Line of the text, from 1.
    public var line: Int
    /// What is wrong, and what is wanted.
    public var reason: String
    /// Both as one sentence; values are never part of it.
    public var description: String { "line \(line): \(reason)" }
  }

  /// What the columns may be called.
  public static let kinds =
    "header.NAME, /arguments/POINTER, clientInfo.name and clientInfo.version"
  /// Fields that each client makes itself, of connection, body and session.
  private static let ownFields: Set<String> = [
    "connection", "content-length", "content-type", "host", "mcp-method", "mcp-name",
    "mcp-protocol-version", "mcp-session-id", "transfer-encoding",
  ]

  /// Where the values go, in the order of the rows' values.
  public private(set) var columns: [Column] = []
  /// True where values have a JSON type, and keep it in arguments.
  let isTyped: Bool
  private var rows: [[RawJSON?]] = []

  /// Number of rows, 1 or more.
  public var count: Int { rows.count }

  /// Reads comma-separated values with a heading; an empty cell has no value.
  ///
  /// - Throws: `FormatError`.
  public init(csv text: String) throws(FormatError) {
    isTyped = false
    let records: [CSVRecords.Record]
    do throws(CSVRecords.SyntaxError) {
      records = try CSVRecords(text).records
    } catch {
      throw FormatError(line: error.line, reason: "\(error.reason); see RFC 4180")
    }
    guard let heading = records.first else {
      throw FormatError(line: 1, reason: "no heading; columns are \(Feed.kinds)")
    }
    for name in heading.fields { try add(name, heading.line) }
    for record in records.dropFirst() {
      guard record.fields.count == columns.count else {
        throw FormatError(
          line: record.line,
          reason: "\(record.fields.count) fields, but the heading has \(columns.count)")
      }
      var row: [RawJSON?] = []
      for (column, field) in zip(columns, record.fields) {
        row.append(
          try Feed.value(field.isEmpty ? nil : RawJSON(.string(field)), column, record.line))
      }
      rows.append(row)
    }
    try checkRows()
  }

  /// Reads JSON objects, a line each.
  ///
  /// - Throws: `FormatError`.
  public init(jsonLines text: String) throws(FormatError) {
    isTyped = true
    var objects: [(line: Int, members: [JSONValue.Member])] = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (i, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      guard let members = JSONValue(parsing: ByteBuffer(substring: line))?.members else {
        throw FormatError(
          line: i + 1, reason: "no JSON object; want one a line, with members \(Feed.kinds)")
      }
      objects.append((i + 1, members))
    }
    var places: [String: Int] = [:]
    for (line, members) in objects {
      for member in members where places[member.key] == nil {
        places[member.key] = columns.count
        try add(member.key, line)
      }
    }
    for (line, members) in objects {
      var row: [RawJSON?] = Array(repeating: nil, count: columns.count)
      for member in members {
        guard let place = places[member.key] else { continue }
        row[place] = try Feed.value(RawJSON(member.value), columns[place], line)
      }
      rows.append(row)
    }
    try checkRows()
  }

  private func checkRows() throws(FormatError) {
    if rows.isEmpty { throw FormatError(line: 1, reason: "no rows; want one or more") }
  }

  /// The values of an agent, in the order of the columns.
  public func row(_ number: Int) -> [RawJSON?] { rows[number % rows.count] }

  /// The header fields of the first row, for questions before the run.
  public var firstFields: [HeaderField] {
    zip(columns, row(0)).compactMap { column, value in
      guard case .header(let name) = column else { return nil }
      return value?.string.map { HeaderField(name, $0) }
    }
  }

  /// Names of the header fields.
  public var fieldNames: [String] {
    columns.compactMap { if case .header(let name) = $0 { name } else { nil } }
  }

  /// Places in the params of calls for which every row has a value.
  public var filled: [ValuePath] {
    columns.indices.compactMap { i in
      guard case .argument(let path) = columns[i], rows.allSatisfy({ $0[i] != nil }) else {
        return nil
      }
      return path
    }
  }

  private mutating func add(_ name: String, _ line: Int) throws(FormatError) {
    guard let column = Feed.column(name) else {
      throw FormatError(
        line: line,
        reason: "'\(name)' says no place that values can go to; columns are \(Feed.kinds)")
    }
    if case .header(let field) = column, Feed.ownFields.contains(field.lowercased()) {
      throw FormatError(line: line, reason: "\(field) is each client's own affair; leave it out")
    }
    let isKnown = columns.contains { known in
      if case .header(let one) = known, case .header(let other) = column {
        return one.lowercased() == other.lowercased()
      }
      return known == column
    }
    if isKnown { throw FormatError(line: line, reason: "'\(name)' is there twice") }
    columns.append(column)
  }

  private static func column(_ name: String) -> Column? {
    switch name {
    case "clientInfo.name": return .clientName
    case "clientInfo.version": return .clientVersion
    default: break
    }
    if name.hasPrefix("header.") {
      let field = name.dropFirst("header.".utf8.count)
      let isToken = field.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
      return field.isEmpty || !isToken ? nil : .header(String(field))
    }
    guard let path = ValuePath(name), path.steps.count > 1,
      path.steps.first == .child("arguments")
    else { return nil }
    return .argument(path)
  }

  /// A value as it is kept: all but arguments are text.
  private static func value(
    _ value: RawJSON?, _ column: Column, _ line: Int
  ) throws(FormatError) -> RawJSON? {
    guard let value else { return nil }
    if case .argument = column { return value }
    guard value.kind != .null else { return nil }
    let isScalar = [.string, .number, .bool].contains(value.kind)
    guard isScalar, case let text = value.string ?? value.text,
      text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
    else {
      throw FormatError(
        line: line, reason: "a header or a client's name takes text without line breaks")
    }
    return RawJSON(.string(text))
  }
}
