public import NIOCore

/// A JSON text kept as it was: valid, UTF-8, white space outside strings removed, tokens unchanged.
///
/// Holds a slice of the buffer that brought it; big numbers, `1.0` and escapes survive. Two texts are equal when
/// their bytes are.
public struct RawJSON: Hashable, Sendable {
  /// The text.
  public let bytes: ByteBuffer

  /// Wraps text that is known to be valid and compact.
  public init(trusted bytes: ByteBuffer) { self.bytes = bytes }

  /// Checks and compacts one JSON text; `nil` when the bytes are not exactly one in UTF-8. O(n).
  public init?(validating source: ByteBuffer) {
    let span = source.readableBytesUInt8Span
    let start = JSONScan.skipSpace(span, 0)
    guard let end = JSONScan.skipValue(span, start), JSONScan.skipSpace(span, end) == span.count,
      isUTF8(span)
    else { return nil }
    self.bytes = RawJSON.compact(source, from: start, to: end)
  }

  /// Wraps a value.
  public init(_ value: JSONValue) {
    var buffer = ByteBuffer()
    value.write(to: &buffer)
    self.bytes = buffer
  }

  /// Parses the text. O(n); duplicate keys are kept.
  public var value: JSONValue { JSONValue(trusted: bytes) ?? .null }

  /// The text as a string.
  public var text: String { String(buffer: bytes) }

  /// Removes white space outside strings; a text that has none is sliced, not copied.
  private static func compact(_ source: ByteBuffer, from: Int, to: Int) -> ByteBuffer {
    let span = source.readableBytesUInt8Span
    var runs: [Range<Int>] = []
    var runStart = from
    var i = from
    while i < to {
      let byte = span[i]
      if byte == 0x22 {
        i = JSONScan.skipString(span, i) ?? to
      } else if byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
        if runStart < i { runs.append(runStart..<i) }
        i = JSONScan.skipSpace(span, i)
        runStart = i
      } else {
        i += 1
      }
    }
    if runStart < to { runs.append(runStart..<to) }
    let base = source.readerIndex
    if runs.count == 1, let run = runs.first {
      return source.getSlice(at: base + run.lowerBound, length: run.count) ?? ByteBuffer()
    }
    var out = ByteBuffer()
    out.reserveCapacity(to - from)
    for run in runs {
      if let slice = source.getSlice(at: base + run.lowerBound, length: run.count) {
        out.writeImmutableBuffer(slice)
      }
    }
    return out
  }
}

/// Returns whether the bytes are well-formed UTF-8 (Unicode 15 §3.9, table 3-7).
func isUTF8(_ bytes: Span<UInt8>) -> Bool {
  do {
    _ = try UTF8Span(validating: bytes)
    return true
  } catch {
    return false
  }
}

extension RawJSON {
  /// Returns the part `from..<to` of the text, which must be a JSON text itself. O(1).
  public func slice(_ from: Int, _ to: Int) -> RawJSON {
    RawJSON(
      trusted: bytes.getSlice(at: bytes.readerIndex + from, length: to - from) ?? ByteBuffer())
  }

  /// Calls `body` for each member of an object, in order; does nothing for other values.
  ///
  /// Values are slices; keys are unescaped. O(n) over the text.
  public func forEachMember(_ body: (_ key: String, _ value: RawJSON) -> Void) {
    let span = bytes.readableBytesUInt8Span
    guard span.count > 0, span[0] == 0x7b else { return }
    var i = 1
    while i < span.count, span[i] == 0x22, let keyEnd = JSONScan.skipString(span, i),
      let end = JSONScan.skipValue(span, keyEnd + 1)
    {
      body(slice(i, keyEnd).value.string ?? "", slice(keyEnd + 1, end))
      i = end < span.count && span[end] == 0x2c ? end + 1 : end
    }
  }

  /// The member `key` of an object (the last one of that name), else `nil`. O(n) over the text.
  public func member(_ key: String) -> RawJSON? {
    var found: RawJSON?
    forEachMember { if $0 == key { found = $1 } }
    return found
  }

  /// The text as a string value, when it is one.
  public var string: String? { value.string }
}
