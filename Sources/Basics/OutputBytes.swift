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

  /// Forgets the bytes from a place on; traps when it is out of bounds.
  public mutating func removeAll(from place: Int) {
    precondition(0 <= place && place <= count, "a place within the bytes")
    count = place
  }

  /// All bytes.
  public var span: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get {
      // Proof of safety: the first `count` bytes are written, and stay as they are while `self` is borrowed.
      let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

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

  /// Appends bytes in quotes.
  mutating func appendQuoted(_ bytes: Span<UInt8>) {
    reserve(bytes.count + 2)
    let start = unsafe base + count
    unsafe start[0] = 0x22
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let first = source.baseAddress else { return }
      unsafe OutputBytes.put(first, source.count, start + 1)
    }
    unsafe start[bytes.count + 1] = 0x22
    count += bytes.count + 2
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
    let end = unsafe OutputBytes.put(text, base + count)
    unsafe advance(to: end)
  }

  /// Appends the key of a member with its quotes and colon, behind a comma where there is one before it.
  public mutating func appendKey(_ key: StaticString, afterComma: Bool) {
    reserve(key.utf8CodeUnitCount + 4)
    let end = unsafe OutputBytes.putKey(key, afterComma: afterComma, base + count)
    unsafe advance(to: end)
  }

  /// Appends a member whose value is a string that needs no escapes.
  public mutating func appendMember(
    _ key: StaticString, literal value: StaticString, afterComma: Bool
  ) {
    reserve(key.utf8CodeUnitCount + value.utf8CodeUnitCount + 6)
    var at = unsafe OutputBytes.putKey(key, afterComma: afterComma, base + count)
    unsafe at[0] = 0x22
    unsafe at = OutputBytes.put(value, at + 1)
    unsafe at[0] = 0x22
    unsafe advance(to: at + 1)
  }

  // What is put goes through a pointer of its own: `count` would be stored for each byte, as that may lie anywhere.
  @inline(__always)
  private mutating func advance(to end: UnsafeMutablePointer<UInt8>) {
    count = unsafe end - base
  }

  @inline(__always)
  private static func putKey(
    _ key: StaticString, afterComma: Bool, _ start: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    var at = unsafe start
    if afterComma {
      unsafe at[0] = 0x2c
      unsafe at += 1
    }
    unsafe at[0] = 0x22
    unsafe at = put(key, at + 1)
    unsafe at[0] = 0x22
    unsafe at[1] = 0x3a
    return unsafe at + 2
  }

  @inline(__always)
  private static func put(
    _ text: StaticString, _ target: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    let length = text.utf8CodeUnitCount
    unsafe put(text.utf8Start, length, target)
    return unsafe target + length
  }

  /// Copies bytes that lie apart: most are of a few words, too short for a call.
  @inline(__always)
  private static func put(
    _ source: UnsafePointer<UInt8>, _ length: Int, _ target: UnsafeMutablePointer<UInt8>
  ) {
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
  }

  /// Copies a word's bytes; the caller knows that they lie within both.
  @inline(__always)
  private static func copy<Word: FixedWidthInteger>(
    _ word: Word.Type, _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>,
    at place: Int
  ) {
    let bytes = unsafe UnsafeRawPointer(source + place).loadUnaligned(as: word)
    unsafe UnsafeMutableRawPointer(target + place).storeBytes(of: bytes, as: word)
  }

  /// Appends a number in decimal digits.
  public mutating func appendDecimal(_ value: Int64) {
    reserve(32)
    if value < 0 {
      unsafe base[count] = 0x2d
      count += 1
    }
    let number = value.magnitude
    if number < 100_000_000 { return put(leading: UInt32(truncatingIfNeeded: number)) }
    let upper = number / 100_000_000
    if upper < 100_000_000 {
      put(leading: UInt32(truncatingIfNeeded: upper))
    } else {
      put(leading: UInt32(truncatingIfNeeded: upper / 100_000_000))
      put(eight: UInt32(truncatingIfNeeded: upper % 100_000_000))
    }
    put(eight: UInt32(truncatingIfNeeded: number % 100_000_000))
  }

  /// Writes a number of at most eight digits (of zero one) where there is room for eight.
  @inline(__always)
  private mutating func put(leading value: UInt32) {
    let digits = OutputBytes.eightDigits(value)
    let zeros = min(digits.trailingZeroBitCount / 8, 7)
    unsafe store((digits | 0x3030_3030_3030_3030) >> UInt64(zeros * 8))
    count += 8 - zeros
  }

  /// Writes it as eight digits.
  @inline(__always)
  private mutating func put(eight value: UInt32) {
    unsafe store(OutputBytes.eightDigits(value) | 0x3030_3030_3030_3030)
    count += 8
  }

  /// Stores a word behind the bytes; the caller made room.
  @unsafe
  @inline(__always)
  private func store(_ word: UInt64) {
    unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: word.littleEndian, as: UInt64.self)
  }

  /// The eight digits of a number below 10^8, a byte each, the first in the lowest.
  ///
  /// Theory: halves are split into halves, all of a word at once. The multiplications divide by 100 and by 10, exactly for what
  /// is below 10,000 and 100, and no product reaches the next lane.
  @inline(__always)
  private static func eightDigits(_ value: UInt32) -> UInt64 {
    let upper = value / 10_000
    let fours = UInt64(upper) | UInt64(value &- upper &* 10_000) << 32
    let hundreds = (fours &* 10_486) >> 20 & 0x7f_0000_007f
    let pairs = hundreds | (fours &- hundreds &* 100) << 16
    let tens = (pairs &* 103) >> 10 & 0x000f_000f_000f_000f
    return tens | (pairs &- tens &* 10) << 8
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
    var i = ByteScan.endOfPlainText(text, 0)
    if i == text.count { return appendQuoted(text) }
    append(0x22)
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
