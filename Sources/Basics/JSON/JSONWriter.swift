import NIOCore

/// Writes JSON objects, member by member, one behind the other into bytes that are reused from line to line.
///
/// Absent values (`nil`) write nothing: "keys are absent when unknown" (trace format v1). Keys of members are literals
/// that need no escapes; a key that comes from outside goes through `member(named:_:)`.
public struct JSONWriter: ~Copyable {
  /// What has been written so far.
  public private(set) var bytes: OutputBytes
  private var needsComma = false

  /// Creates a writer with room for `capacity` bytes.
  public init(capacity: Int = 256) { bytes = OutputBytes(capacity: capacity) }

  /// Writes one object.
  public static func object(_ body: (inout JSONWriter) -> Void) -> RawJSON {
    var writer = JSONWriter()
    writer.open()
    body(&writer)
    writer.close()
    return RawJSON(trusted: writer.bytes.buffer)
  }

  /// Begins an object, or one nested in a member whose key was just written.
  public mutating func open() {
    bytes.append(0x7b)
    needsComma = false
  }

  /// Ends the object.
  public mutating func close() {
    bytes.append(0x7d)
    needsComma = true
  }

  /// Writes a whole JSON text where an object could begin.
  public mutating func append(_ text: RawJSON) {
    bytes.append(text.span)
  }

  /// Writes what was written elsewhere.
  public mutating func append(_ other: borrowing OutputBytes) { bytes.append(other) }

  /// Removes all from a place on, and returns it.
  public mutating func cut(at place: Int) -> OutputBytes { bytes.cut(at: place) }

  /// Writes a line end.
  public mutating func endLine() { bytes.append(0x0a) }

  /// Forgets what was written and keeps the memory, unless that is more than `limit` bytes.
  public mutating func removeAll(keepingAtMost limit: Int = .max) {
    bytes.removeAll(keepingAtMost: limit)
  }

  /// Writes a key and its colon.
  private mutating func key(_ key: StaticString) {
    bytes.appendKey(key, afterComma: needsComma)
    needsComma = true
  }

  /// Writes a nested object.
  public mutating func member(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
    key(name)
    open()
    body(&self)
    close()
  }

  /// Writes an integer member.
  public mutating func member(_ name: StaticString, _ value: Int64?) {
    guard let value else { return }
    key(name)
    bytes.appendDecimal(value)
  }

  /// Writes an integer member.
  public mutating func member(_ name: StaticString, _ value: Int?) {
    guard let value else { return }
    key(name)
    bytes.appendDecimal(Int64(value))
  }

  /// Writes a string member.
  public mutating func member(_ name: StaticString, _ value: String?) {
    guard let value else { return }
    key(name)
    bytes.appendJSONString(value.utf8Span.span)
  }

  /// Writes a string that needs no escapes.
  public mutating func member(_ name: StaticString, literal value: StaticString?) {
    guard let value else { return }
    bytes.appendMember(name, literal: value, afterComma: needsComma)
    needsComma = true
  }

  /// Writes `null`.
  public mutating func null(_ name: StaticString) {
    key(name)
    bytes.append("null")
  }

  /// Writes a boolean member.
  public mutating func member(_ name: StaticString, _ value: Bool?) {
    guard let value else { return }
    key(name)
    bytes.append(value ? "true" : "false")
  }

  /// Writes a JSON text as it is.
  public mutating func member(_ name: StaticString, _ value: RawJSON?) {
    guard let value else { return }
    key(name)
    bytes.append(value.span)
  }

  /// Writes a member whose key came from outside.
  public mutating func member(named name: String, _ value: RawJSON) {
    if needsComma { bytes.append(0x2c) }
    needsComma = true
    bytes.appendJSONString(name.utf8Span.span)
    bytes.append(0x3a)
    bytes.append(value.span)
  }

  /// Writes a value.
  public mutating func member(_ name: StaticString, _ value: JSONValue?) {
    guard let value else { return }
    key(name)
    value.write(to: &bytes)
  }

  /// Writes an array of integers.
  public mutating func member(_ name: StaticString, _ values: [Int]?) {
    guard let values else { return }
    array(name, values.count) { $0.appendDecimal(Int64(values[$1])) }
  }

  /// Writes an array of strings.
  public mutating func member(_ name: StaticString, _ texts: [String]?) {
    guard let texts else { return }
    array(name, texts.count) { $0.appendJSONString(texts[$1].utf8Span.span) }
  }

  /// Writes header fields as `[name, value]` pairs.
  public mutating func member(_ name: StaticString, _ fields: HeaderFields?) {
    guard let fields else { return }
    if let json = fields.block.json {
      key(name)
      let text = json.text.span
      guard let own = fields.ownValue else { return bytes.append(text) }
      bytes.append(text, 0..<json.varying.lowerBound)
      bytes.append(own)
      return bytes.append(text, json.varying.upperBound..<text.count)
    }
    array(name, fields.count) { bytes, i in
      bytes.append(0x5b)
      bytes.appendJSONString(fields.name(i))
      bytes.append(0x2c)
      bytes.appendJSONString(fields.value(i))
      bytes.append(0x5d)
    }
  }

  private mutating func array(
    _ name: StaticString, _ count: Int, _ write: (inout OutputBytes, Int) -> Void
  ) {
    key(name)
    bytes.append(0x5b)
    for i in 0..<count {
      if i > 0 { bytes.append(0x2c) }
      write(&bytes, i)
    }
    bytes.append(0x5d)
  }
}
