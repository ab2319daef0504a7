public import NIOCore

/// Writes one JSON object, member by member, into a buffer that is reused from line to line.
///
/// Absent values (`nil`) write nothing: "keys are absent when unknown" (trace format v1).
public struct JSONObjectWriter {
  /// What has been written so far.
  public private(set) var buffer: ByteBuffer
  private var needsComma = false

  /// Opens an object at the end of `buffer`.
  public init(into buffer: consuming ByteBuffer = ByteBuffer()) {
    self.buffer = buffer
    self.buffer.writeInteger(UInt8(ascii: "{"))
  }

  /// Closes the object and returns the buffer.
  public consuming func finish() -> ByteBuffer {
    buffer.writeInteger(UInt8(ascii: "}"))
    return buffer
  }

  /// Writes `key` and its colon; the caller writes the value next, through `raw`.
  private mutating func key(_ key: String) {
    if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
    needsComma = true
    buffer.writeJSONString(key)
    buffer.writeInteger(UInt8(ascii: ":"))
  }

  /// Writes an integer member.
  public mutating func member(_ name: String, _ value: Int64?) {
    guard let value else { return }
    key(name)
    buffer.writeString(String(value))
  }

  /// Writes an integer member.
  public mutating func member(_ name: String, _ value: Int?) { member(name, value.map(Int64.init)) }

  /// Writes a string member.
  public mutating func member(_ name: String, _ value: String?) {
    guard let value else { return }
    key(name)
    buffer.writeJSONString(value)
  }

  /// Writes a boolean member.
  public mutating func member(_ name: String, _ value: Bool?) {
    guard let value else { return }
    key(name)
    buffer.writeString(value ? "true" : "false")
  }

  /// Writes a JSON text as it is.
  public mutating func member(_ name: String, _ value: RawJSON?) {
    guard let value else { return }
    key(name)
    buffer.writeImmutableBuffer(value.bytes)
  }

  /// Writes a value.
  public mutating func member(_ name: String, _ value: JSONValue?) {
    guard let value else { return }
    key(name)
    value.write(to: &buffer)
  }

  /// Writes an array of integers.
  public mutating func member(_ name: String, _ values: [Int]?) {
    guard let values else { return }
    member(name, JSONValue.array(values.map { .int($0) }))
  }
}
