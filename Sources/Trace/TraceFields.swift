import Basics
import NIOCore

/// The members of one line; each getter takes its key out, what is left at the end is `extra`.
struct TraceFields {
  private var members: [ExtraMember] = []

  init(_ line: RawJSON) throws(TraceFormatError) {
    let span = line.bytes.readableBytesUInt8Span
    guard span.count > 0, span[0] == 0x7b else { throw TraceFormatError(.notJSON) }
    members.reserveCapacity(24)
    let base = line.bytes.readerIndex
    var i = 1
    while i < span.count, span[i] == 0x22 {
      guard let keyEnd = JSONScan.skipString(span, i),
        let key = JSONValue(parsing: slice(line, base + i, keyEnd - i))?.string,
        keyEnd < span.count, span[keyEnd] == 0x3a,
        let end = JSONScan.skipValue(span, keyEnd + 1)
      else { throw TraceFormatError(.notJSON) }
      let value = RawJSON(trusted: slice(line, base + keyEnd + 1, end - keyEnd - 1))
      members.append(ExtraMember(key: key, value: value))
      i = end
      if i < span.count, span[i] == 0x2c { i += 1 }
    }
    guard i + 1 == span.count, span[i] == 0x7d else { throw TraceFormatError(.notJSON) }
  }

  private func slice(_ line: RawJSON, _ at: Int, _ length: Int) -> ByteBuffer {
    line.bytes.getSlice(at: at, length: length) ?? ByteBuffer()
  }

  /// The keys that nobody took, in order.
  var rest: [ExtraMember] { members }

  private func wrong(_ key: String, _ expected: String) -> TraceFormatError {
    TraceFormatError(.wrongType(key: key, expected: expected))
  }

  private func require<T>(_ key: String, _ value: T?) throws(TraceFormatError) -> T {
    guard let value else { throw TraceFormatError(.missing(key: key)) }
    return value
  }

  mutating func optionalRaw(_ key: String) -> RawJSON? {
    guard let at = members.lastIndex(where: { $0.key == key }) else { return nil }
    let value = members[at].value
    members.removeAll { $0.key == key }
    return value
  }

  mutating func raw(_ key: String) throws(TraceFormatError) -> RawJSON {
    try require(key, optionalRaw(key))
  }

  /// Takes a key that must be there but may be `null`.
  mutating func nullableString(_ key: String) throws(TraceFormatError) -> String? {
    let value = try raw(key).value
    if case .null = value { return nil }
    guard let text = value.string else { throw wrong(key, "a string or null") }
    return text
  }

  mutating func optionalInt64(_ key: String) throws(TraceFormatError) -> Int64? {
    guard let raw = optionalRaw(key) else { return nil }
    guard let value = raw.value.int else { throw wrong(key, "an integer") }
    return value
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
    guard let text = raw.value.string else { throw wrong(key, "a string") }
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
    guard let raw = optionalRaw(key) else { return nil }
    let expected = wrong(key, "an array of integers")
    guard let elements = raw.value.array else { throw expected }
    var out: [Int] = []
    for element in elements {
      guard let value = element.int else { throw expected }
      out.append(Int(truncatingIfNeeded: value))
    }
    return out
  }

  mutating func optionalStrings(_ key: String) throws(TraceFormatError) -> [String]? {
    guard let raw = optionalRaw(key) else { return nil }
    let expected = wrong(key, "an array of strings")
    guard let elements = raw.value.array else { throw expected }
    var out: [String] = []
    for element in elements {
      guard let text = element.string else { throw expected }
      out.append(text)
    }
    return out
  }

  mutating func optionalHeaders(_ key: String) throws(TraceFormatError) -> [HeaderField]? {
    guard let raw = optionalRaw(key) else { return nil }
    let expected = wrong(key, "an array of [name, value] pairs")
    guard let elements = raw.value.array else { throw expected }
    var out: [HeaderField] = []
    for element in elements {
      guard let pair = element.array, pair.count == 2, let name = pair[0].string,
        let value = pair[1].string
      else { throw expected }
      out.append(HeaderField(name, value))
    }
    return out
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

extension JSONObjectWriter {
  mutating func member(_ name: String, _ fields: [HeaderField]?) {
    guard let fields else { return }
    member(name, JSONValue.array(fields.map { .array([.string($0.name), .string($0.value)]) }))
  }

  mutating func member(_ name: String, _ texts: [String]?) {
    guard let texts else { return }
    member(name, JSONValue.array(texts.map { .string($0) }))
  }

  mutating func extra(_ members: [ExtraMember]) {
    for extra in members { member(extra.key, extra.value) }
  }

  /// Writes a session name, or `null` for a line that belongs to none.
  mutating func session(_ name: String?) {
    member("session", name.map { .string($0) } ?? JSONValue.null)
  }
}
