import Basics
import NIOCore

/// The members of one line; each getter takes its key out, what is left at the end is `extra`.
struct TraceFields {
  private struct Entry {
    let member: ExtraMember
    /// Length and first byte of the key: cheap to tell most keys apart by.
    let signature: Int
    var isTaken = false

    init(_ member: ExtraMember) {
      self.member = member
      signature = Entry.signature(of: member.key)
    }

    static func signature(of key: String) -> Int {
      key.utf8.count << 8 | Int(key.utf8.first ?? 0)
    }
  }

  private var entries: [Entry] = []

  init(_ line: RawJSON) throws(TraceFormatError) {
    var entries: [Entry] = []
    entries.reserveCapacity(24)
    let isObject = line.forEachMember { key, value in
      entries.append(Entry(ExtraMember(key: key, value: value)))
    }
    guard isObject else { throw TraceFormatError(.notJSON) }
    self.entries = entries
  }

  /// The keys that nobody took, in order.
  var rest: [ExtraMember] { entries.filter { !$0.isTaken }.map(\.member) }

  private func wrong(_ key: String, _ expected: String) -> TraceFormatError {
    TraceFormatError(.wrongType(key: key, expected: expected))
  }

  private func require<T>(_ key: String, _ value: T?) throws(TraceFormatError) -> T {
    guard let value else { throw TraceFormatError(.missing(key: key)) }
    return value
  }

  /// Takes all members of that name; the last one counts.
  mutating func optionalRaw(_ key: String) -> RawJSON? {
    let signature = Entry.signature(of: key)
    var last: Int?
    for i in entries.indices
    where entries[i].signature == signature && entries[i].member.key == key {
      entries[i].isTaken = true
      last = i
    }
    return last.map { entries[$0].member.value }
  }

  mutating func raw(_ key: String) throws(TraceFormatError) -> RawJSON {
    try require(key, optionalRaw(key))
  }

  /// Takes a key that must be there but may be `null`.
  mutating func nullableString(_ key: String) throws(TraceFormatError) -> String? {
    let value = try raw(key)
    if value.kind == .null { return nil }
    guard let text = value.string else { throw wrong(key, "a string or null") }
    return text
  }

  mutating func optionalInt64(_ key: String) throws(TraceFormatError) -> Int64? {
    guard let raw = optionalRaw(key) else { return nil }
    guard let value = raw.int else { throw wrong(key, "an integer") }
    guard value.magnitude > TraceFields.timeLimit, TraceFields.isTime(key) else { return value }
    return value < 0 ? -Int64(TraceFields.timeLimit) : Int64(TraceFields.timeLimit)
  }

  /// Nanoseconds of two years: no recording lasts longer, and sums of times stay far from overflow.
  private static let timeLimit: UInt64 = 1 << 56

  private static func isTime(_ key: String) -> Bool {
    ["t", "sent", "done", "first", "closed", "think"].contains(key)
  }

  mutating func int64(_ key: String) throws(TraceFormatError) -> Int64 {
    try require(key, try optionalInt64(key))
  }

  mutating func optionalInt(_ key: String) throws(TraceFormatError) -> Int? {
    try optionalInt64(key).map { Int(truncatingIfNeeded: $0) }
  }

  mutating func int(_ key: String) throws(TraceFormatError) -> Int {
    try require(key, try optionalInt(key))
  }

  mutating func optionalString(_ key: String) throws(TraceFormatError) -> String? {
    guard let raw = optionalRaw(key) else { return nil }
    guard let text = raw.string else { throw wrong(key, "a string") }
    return text
  }

  mutating func string(_ key: String) throws(TraceFormatError) -> String {
    try require(key, try optionalString(key))
  }

  mutating func optionalBool(_ key: String) throws(TraceFormatError) -> Bool? {
    guard let raw = optionalRaw(key) else { return nil }
    guard let value = raw.value.bool else { throw wrong(key, "a boolean") }
    return value
  }

  mutating func optionalInts(_ key: String) throws(TraceFormatError) -> [Int]? {
    try optionalElements(key, "an array of integers") { $0.int.map { Int(truncatingIfNeeded: $0) } }
  }

  mutating func optionalStrings(_ key: String) throws(TraceFormatError) -> [String]? {
    try optionalElements(key, "an array of strings") { $0.string }
  }

  mutating func optionalHeaders(_ key: String) throws(TraceFormatError) -> HeaderFields? {
    try optionalElements(key, "an array of [name, value] pairs") { pair -> HeaderField? in
      var texts: [String] = []
      var count = 0
      pair.forEachElement { element in
        count += 1
        if let text = element.string { texts.append(text) }
      }
      return count == 2 && texts.count == 2 ? HeaderField(texts[0], texts[1]) : nil
    }.map { HeaderFields($0) }
  }

  private mutating func optionalElements<Element>(
    _ key: String, _ expected: String, _ read: (RawJSON) -> Element?
  ) throws(TraceFormatError) -> [Element]? {
    guard let raw = optionalRaw(key) else { return nil }
    guard raw.kind == .array else { throw wrong(key, expected) }
    var elements: [Element] = []
    var count = 0
    raw.forEachElement { element in
      count += 1
      if let value = read(element) { elements.append(value) }
    }
    guard count == elements.count else { throw wrong(key, expected) }
    return elements
  }

  /// Takes a string that must be one of an enumeration's raw values.
  mutating func optionalCase<E: RawRepresentable & CaseIterable>(
    _ key: String, _: E.Type = E.self
  ) throws(TraceFormatError) -> E? where E.RawValue == String {
    guard let text = try optionalString(key) else { return nil }
    guard let value = E(rawValue: text) else {
      throw wrong(key, "one of " + E.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }

  mutating func required<E: RawRepresentable & CaseIterable>(
    _ key: String, _: E.Type = E.self
  ) throws(TraceFormatError) -> E where E.RawValue == String {
    try require(key, try optionalCase(key, E.self))
  }

  mutating func direction(_ key: String) throws(TraceFormatError) -> Direction {
    switch try string(key) {
    case "c2s": .c2s
    case "s2c": .s2c
    default: throw wrong(key, "c2s or s2c")
    }
  }

  /// Takes a nested object as fields of its own.
  mutating func optionalObject(_ key: String) throws(TraceFormatError) -> TraceFields? {
    guard let raw = optionalRaw(key) else { return nil }
    do { return try TraceFields(raw) } catch { throw wrong(key, "an object") }
  }
}

extension JSONWriter {
  mutating func extra(_ members: [ExtraMember]) {
    for extra in members { member(named: extra.key, extra.value) }
  }

  /// Writes a session name, or `null` for a line that belongs to none.
  mutating func session(_ name: String?) {
    if let name { member("session", name) } else { null("session") }
  }
}
