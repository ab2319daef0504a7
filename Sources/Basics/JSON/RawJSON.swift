public import NIOCore

/// A JSON text kept as it was: valid, UTF-8, white space outside strings removed, tokens unchanged.
///
/// Holds a slice of the buffer that brought it; big numbers, `1.0` and escapes survive. Two texts are equal when
/// their bytes are.
public struct RawJSON: Hashable, Sendable {
  /// The text.
  public let bytes: ByteBuffer

  /// The text, to be looked at.
  @inlinable
  public var span: Span<UInt8> {
    @inline(__always)
    @_lifetime(borrow self)
    borrowing get { bytes.readableSpan }
  }

  /// Wraps text that is known to be valid and compact.
  public init(trusted bytes: ByteBuffer) { self.bytes = bytes }

  /// Checks and compacts one JSON text; `nil` when the bytes are not exactly one in UTF-8. O(n).
  ///
  /// A text without white space between its tokens is sliced, not copied.
  public init?(validating source: ByteBuffer) {
    let span = source.readableSpan
    let start = JSONScan.skipSpace(span, 0)
    var isSpaced = false
    guard let end = JSONScan.skipValue(span, start, depth: 0, isSpaced: &isSpaced),
      JSONScan.skipSpace(span, end) == span.count, isUTF8(span)
    else { return nil }
    if isSpaced {
      bytes = RawJSON.compact(span, start..<end)
    } else {
      bytes = source.getSlice(at: source.readerIndex + start, length: end - start) ?? ByteBuffer()
    }
  }

  /// The same text, copied when it is a small part of the buffer that it keeps.
  public var owned: RawJSON {
    var bytes = bytes
    bytes.own()
    return RawJSON(trusted: bytes)
  }

  /// Wraps a value.
  public init(_ value: JSONValue) {
    var out = OutputBytes(capacity: 64)
    value.write(to: &out)
    bytes = out.buffer
  }

  /// Parses the text. O(n); duplicate keys are kept.
  public var value: JSONValue { JSONValue(trusted: bytes) ?? .null }

  /// The text as a string.
  public var text: String { String(buffer: bytes) }

  /// Copies valid text without the white space outside strings.
  private static func compact(_ text: Span<UInt8>, _ range: Range<Int>) -> ByteBuffer {
    var members: FoundMembers?
    return compact(text, range, moving: &members)
  }

  /// The same; the places of members move to where they lie in the copy.
  static func compact(
    _ text: Span<UInt8>, _ range: Range<Int>, moving members: inout FoundMembers?
  ) -> ByteBuffer {
    var out = ByteBuffer()
    var removed = range.lowerBound
    out.writeWithOutputRawSpan(minimumWritableBytes: range.count) { output in
      var i = range.lowerBound
      var start = i
      while i < range.upperBound {
        let byte = text[i]
        if byte == 0x22 {
          i = JSONScan.skipString(text, i) ?? range.upperBound
        } else if JSONScan.isSpace(byte) {
          ByteScan.append(text.extracting(start..<i), to: &output)
          members?.remove(i - removed)
          removed += 1
          i += 1
          start = i
        } else {
          i += 1
        }
      }
      ByteScan.append(text.extracting(start..<range.upperBound), to: &output)
    }
    return out
  }
}

/// Returns whether the bytes are well-formed UTF-8 (Unicode 15 §3.9, table 3-7).
func isUTF8(_ bytes: Span<UInt8>) -> Bool {
  if ByteScan.isASCII(bytes) { return true }
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
  /// Values are slices; keys are unescaped. O(n) over the text. Returns whether the text is a whole object.
  @discardableResult
  public func forEachMember(_ body: (_ key: String, _ value: RawJSON) -> Void) -> Bool {
    let span = span
    let end = JSONScan.walkMembers(span, 0) { key, value in
      body(
        JSONValue.unescape(span, key.lowerBound, key.upperBound),
        slice(value.lowerBound, value.upperBound))
    }
    return end == span.count
  }

  /// Calls `body` for each member whose name is looked for, in order, with the index of the name.
  ///
  /// Makes no text of names. O(n) over the text.
  public func forEachMember(
    _ names: borrowing JSONNames, _ body: (_ index: Int, _ value: RawJSON) -> Void
  ) {
    let span = span
    var (keys, isSpaced) = (JSONScan.Members(span, 0), false)
    while let key = keys.next(span, &isSpaced) {
      let value = keys.index
      guard let end = JSONScan.skipValue(span, value, depth: 1) else { return }
      if let i = names.index(span, key) { body(i, slice(value, end)) }
      keys.skip(to: end)
    }
  }

  /// Checks one JSON text and does the same on the way, with where the values lie in it.
  ///
  /// Values of the names in `outer` that are objects are looked into too, for `inner`. Returns whether the bytes are exactly one
  /// object in UTF-8: only then what `body` saw counts.
  public static func forEachMember(
    _ names: borrowing JSONNames, validating span: Span<UInt8>, inside outer: Range<Int>,
    of inner: borrowing JSONNames, _ body: (_ index: Int, _ value: PlacedJSON) -> Void
  ) -> Bool {
    var (keys, isAnySpaced) = (JSONScan.Members(span, JSONScan.skipSpace(span, 0)), false)
    while let key = keys.next(span, &isAnySpaced) {
      let name = names.index(span, key)
      let value = keys.index
      var isSpaced = false
      if let name, outer.contains(name), value < span.count, span[value] == 0x7b {
        var members = FoundMembers()
        guard let end = members.find(inner, span, value, &isSpaced) else { return false }
        body(name, PlacedJSON(value..<end, isSpaced: isSpaced, members.areAll ? members : nil))
        keys.skip(to: end)
      } else {
        guard let end = JSONScan.skipValue(span, value, depth: 1, isSpaced: &isSpaced) else {
          return false
        }
        if let name { body(name, PlacedJSON(value..<end, isSpaced: isSpaced, nil)) }
        keys.skip(to: end)
      }
    }
    guard let end = keys.end else { return false }
    return JSONScan.skipSpace(span, end) == span.count && isUTF8(span)
  }

  /// Calls `body` for each element of an array, in order; does nothing for other values. O(n) over the text.
  public func forEachElement(_ body: (RawJSON) -> Void) {
    let span = span
    guard span.count > 0, span[0] == 0x5b else { return }
    var i = 1
    while i < span.count, span[i] != 0x5d, let end = JSONScan.skipValue(span, i) {
      body(slice(i, end))
      i = end < span.count && span[end] == 0x2c ? end + 1 : end
    }
  }

  /// The member `key` of an object (the last one of that name), else `nil`. O(n) over the text.
  public func member(_ key: String) -> RawJSON? {
    var found: RawJSON?
    forEachMember { if $0 == key { found = $1 } }
    return found
  }

  /// What kind of value it is, by its first byte.
  public var kind: Kind {
    let span = span
    guard span.count > 0 else { return .null }
    return Kind(firstByte: span[0])
  }

  /// The kinds of JSON values.
  public enum Kind: Hashable, Sendable {
    /// `null`
    case null
    /// `true` or `false`
    case bool
    /// A number.
    case number
    /// A string.
    case string
    /// An array.
    case array
    /// An object.
    case object

    init(firstByte: UInt8) {
      self =
        switch firstByte {
        case 0x22: .string
        case 0x7b: .object
        case 0x5b: .array
        case 0x74, 0x66: .bool
        case 0x6e: .null
        default: .number
        }
    }
  }

  /// The text as a string value, when it is one.
  public var string: String? { RawJSON.string(span) }

  /// The string value that a checked JSON text is, when it is one.
  public static func string(_ json: Span<UInt8>) -> String? {
    guard json.count >= 2, json[0] == 0x22 else { return nil }
    return JSONValue.unescape(json, 1, json.count - 1)
  }

  /// Whether it is `true`.
  public var isTrue: Bool { kind == .bool && bytes.readableBytes == 4 }

  /// The number as an integer, when it is one that fits.
  public var int: Int64? {
    let span = span
    let isNegative = span.count > 0 && span[0] == 0x2d
    var value: Int64 = 0
    var i = isNegative ? 1 : 0
    guard i < span.count else { return nil }
    while i < span.count {
      let digit = span[i] &- 0x30
      guard digit < 10 else { return nil }
      let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, tooFar) = tens.subtractingReportingOverflow(Int64(digit))
      if tooLarge || tooFar { return nil }
      value = sum
      i += 1
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }
}
