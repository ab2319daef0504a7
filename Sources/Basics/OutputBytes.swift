public import NIOCore

/// Bytes that grow at their end: what the lines of a trace are made in, and written from in one piece.
///
/// Owns plain memory that is never shared, so that an append is a bounds check and a copy. `ByteBuffer` checks for every
/// byte whether it is the only owner; at a hundred appends a line that is most of what a line costs.
@safe
public struct OutputBytes: ~Copyable {
  /// Bytes so far.
  public private(set) var count = 0
  // Proof of safety: `capacity` bytes at `base` belong to this noncopyable value alone and are freed in `deinit`; every write
  // is behind a `reserve` of its length, every read is below `count`.
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int

  /// Creates an empty one with room for `capacity` bytes.
  public init(capacity: Int = 256) {
    self.capacity = max(capacity, 32)
    unsafe base = .allocate(capacity: self.capacity)
  }

  deinit { unsafe base.deallocate() }

  /// Forgets all bytes and keeps the memory, unless that is more than `limit` bytes.
  public mutating func removeAll(keepingAtMost limit: Int = .max) {
    count = 0
    guard capacity > limit else { return }
    unsafe base.deallocate()
    capacity = 32
    unsafe base = .allocate(capacity: capacity)
  }

  /// Makes room for `additional` more bytes.
  @inline(__always)
  private mutating func reserve(_ additional: Int) {
    if capacity - count < additional { grow(additional) }
  }

  @inline(never)
  private mutating func grow(_ additional: Int) {
    let enough = max(capacity * 2, count + additional)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: enough)
    unsafe larger.update(from: base, count: count)
    unsafe base.deallocate()
    unsafe base = larger
    capacity = enough
  }

  /// Appends one byte.
  public mutating func append(_ byte: UInt8) {
    reserve(1)
    unsafe base[count] = byte
    count += 1
  }

  /// Appends bytes.
  public mutating func append(_ bytes: Span<UInt8>) {
    guard bytes.count > 0 else { return }
    reserve(bytes.count)
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      unsafe (base + count).update(from: start, count: source.count)
    }
    count += bytes.count
  }

  /// Appends a part of bytes; traps when the range is out of bounds.
  public mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    append(bytes.extracting(range))
  }

  /// Appends all bytes of another.
  public mutating func append(_ other: borrowing OutputBytes) {
    reserve(other.count)
    unsafe (base + count).update(from: other.base, count: other.count)
    count += other.count
  }

  /// Removes all bytes from a place on, and returns them; traps when it is out of bounds.
  public mutating func cut(at place: Int) -> OutputBytes {
    precondition(0 <= place && place <= count, "a place within the bytes")
    var rest = OutputBytes(capacity: count - place)
    unsafe rest.base.update(from: base + place, count: count - place)
    rest.count = count - place
    count = place
    return rest
  }

  /// Appends a literal.
  public mutating func append(_ text: StaticString) {
    reserve(text.utf8CodeUnitCount)
    put(text)
  }

  /// Appends the key of a member with its quotes and colon, behind a comma where there is one before it.
  public mutating func appendKey(_ key: StaticString, afterComma: Bool) {
    reserve(key.utf8CodeUnitCount + 4)
    if afterComma { put(0x2c) }
    put(0x22)
    put(key)
    put(0x22)
    put(0x3a)
  }

  /// Appends a byte for which room was made.
  @inline(__always)
  private mutating func put(_ byte: UInt8) {
    unsafe base[count] = byte
    count += 1
  }

  /// Appends a literal for which room was made: most are keys of a few bytes, too short for a call to copy them.
  @inline(__always)
  private mutating func put(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    let source = unsafe text.utf8Start
    let target = unsafe base + count
    switch length {
    case 8...16:
      unsafe copy(UInt64.self, source, target, at: 0)
      unsafe copy(UInt64.self, source, target, at: length - 8)
    case 4..<8:
      unsafe copy(UInt32.self, source, target, at: 0)
      unsafe copy(UInt32.self, source, target, at: length - 4)
    case 0..<4: for i in 0..<length { unsafe target[i] = source[i] }
    default: unsafe target.update(from: source, count: length)
    }
    count += length
  }

  /// Copies a word's bytes; the caller knows that they lie within both.
  @inline(__always)
  private func copy<Word: FixedWidthInteger>(
    _ word: Word.Type, _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>,
    at place: Int
  ) {
    let bytes = unsafe UnsafeRawPointer(source + place).loadUnaligned(as: word)
    unsafe UnsafeMutableRawPointer(target + place).storeBytes(of: bytes, as: word)
  }

  /// Appends a number in decimal digits.
  public mutating func appendDecimal(_ value: Int64) {
    reserve(20)
    if value < 0 {
      unsafe base[count] = 0x2d
      count += 1
    }
    var rest = value.magnitude
    var digits = 1
    var limit: UInt64 = 10
    while rest >= limit {
      digits += 1
      if digits == 20 { break }
      limit &*= 10
    }
    count += digits
    var at = count
    // Two at a time: divisions are what this costs.
    while rest >= 10 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      let tens = UInt8(truncatingIfNeeded: pair / 10)
      at -= 2
      unsafe base[at] = 0x30 | tens
      unsafe base[at + 1] = 0x30 | (UInt8(truncatingIfNeeded: pair) - tens * 10)
      rest = quotient
      if rest == 0 { return }
    }
    unsafe base[at - 1] = 0x30 | UInt8(truncatingIfNeeded: rest)
  }

  /// A copy of all bytes.
  public var buffer: ByteBuffer {
    unsafe ByteBuffer(bytes: UnsafeRawBufferPointer(start: base, count: count))
  }

  /// A copy of all bytes.
  var array: [UInt8] { unsafe Array(UnsafeBufferPointer(start: base, count: count)) }

  /// Calls `body` with all bytes; the pointer is good until it returns.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    unsafe body(UnsafeRawBufferPointer(start: base, count: count))
  }
}

extension OutputBytes {
  /// Appends text, which is UTF-8, as a JSON string: quotes, with `"`, `\` and control characters escaped.
  public mutating func appendJSONString(_ text: Span<UInt8>) {
    append(0x22)
    var i = ByteScan.endOfPlainText(text, 0)
    append(text, 0..<i)
    while i < text.count {
      appendEscape(text[i])
      let end = ByteScan.endOfPlainText(text, i + 1)
      append(text, i + 1..<end)
      i = end
    }
    append(0x22)
  }

  private mutating func appendEscape(_ byte: UInt8) {
    append(0x5c)
    switch byte {
    case 0x0a: append(0x6e)
    case 0x0d: append(0x72)
    case 0x09: append(0x74)
    case 0x00..<0x20:
      append("u00")
      append(0x30 + (byte >> 4))
      append(byte & 15 < 10 ? 0x30 + (byte & 15) : 0x57 + (byte & 15))
    default: append(byte)
    }
  }
}
