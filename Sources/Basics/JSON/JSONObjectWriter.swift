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

  /// Closes the object and hands over the buffer, of which nothing is copied; the writer is empty afterwards.
  public mutating func finish() -> ByteBuffer {
    buffer.writeInteger(UInt8(ascii: "}"))
    var finished = ByteBuffer()
    swap(&finished, &buffer)
    return finished
  }

  /// Writes `key` and its colon.
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
    buffer.writeDecimal(value)
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
    array(name, values) { $0.writeDecimal(Int64($1)) }
  }

  /// Writes an array of strings.
  public mutating func member(_ name: String, _ texts: [String]?) {
    array(name, texts) { $0.writeJSONString($1) }
  }

  /// Writes header fields as `[name, value]` pairs.
  public mutating func member(_ name: String, _ fields: [HeaderField]?) {
    array(name, fields) { buffer, field in
      buffer.writeInteger(UInt8(ascii: "["))
      buffer.writeJSONString(field.name)
      buffer.writeInteger(UInt8(ascii: ","))
      buffer.writeJSONString(field.value)
      buffer.writeInteger(UInt8(ascii: "]"))
    }
  }

  private mutating func array<Element>(
    _ name: String, _ elements: [Element]?, _ write: (inout ByteBuffer, Element) -> Void
  ) {
    guard let elements else { return }
    key(name)
    buffer.writeInteger(UInt8(ascii: "["))
    var isFirst = true
    for element in elements {
      if !isFirst { buffer.writeInteger(UInt8(ascii: ",")) }
      isFirst = false
      write(&buffer, element)
    }
    buffer.writeInteger(UInt8(ascii: "]"))
  }
}
