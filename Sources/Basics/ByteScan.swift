import Glibc

/// Searching and copying of bytes, eight at a time, for the loops that every byte of the traffic goes through.
///
/// With `OutputBytes` the only place below the sockets that goes to memory unchecked; each such access says why it is in bounds.
public enum ByteScan {
  @usableFromInline static let ones: UInt64 = 0x0101_0101_0101_0101
  @usableFromInline static let highs: UInt64 = 0x8080_8080_8080_8080

  /// Returns the index of the first `"`, `\` or control character at or behind `start`, else the end.
  ///
  /// Theory (Mycroft 1987): of `(x - 1) & ~x & 0x80` a byte is not zero where `x` is, or above such a byte; so the
  /// lowest of a word is exact. `x < 0x20` likewise with 0x20 in place of 1.
  @inlinable
  public static func endOfPlainText(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    precondition(start >= 0, "a search begins inside its bytes")
    // Bytes have no invalid values.
    let raw = unsafe bytes.bytes
    var i = start
    while i + 16 <= raw.byteCount {
      // In bounds by the condition (indices only grow from a valid one); every bit pattern is a UInt64.
      let first = unsafe special(
        raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self))
      let second = unsafe special(
        raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i + 8, as: UInt64.self))
      if first | second != 0 {
        return first != 0
          ? i + first.trailingZeroBitCount / 8 : i + 8 + second.trailingZeroBitCount / 8
      }
      i += 16
    }
    if i + 8 <= raw.byteCount {
      // In bounds by the condition; every bit pattern is a UInt64.
      let found = unsafe special(
        raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self))
      if found != 0 { return i + found.trailingZeroBitCount / 8 }
      i += 8
    }
    while i < bytes.count, bytes[i] >= 0x20, bytes[i] != 0x22, bytes[i] != 0x5c { i += 1 }
    return i
  }

  /// The same where it lies within eight bytes, and these within the whole; else `nil`.
  @inlinable
  @inline(__always)
  static func endOfShortText(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    guard start >= 0, start + 8 <= bytes.count else { return nil }
    // In bounds by the condition; bytes have no invalid values.
    let found = unsafe special(
      bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self))
    return found != 0 ? start &+ found.trailingZeroBitCount / 8 : nil
  }

  /// The high bits of the bytes that are `"`, `\` or control characters, exact up to the lowest.
  @inlinable
  @inline(__always)
  static func special(_ bytes: UInt64) -> UInt64 {
    let word = UInt64(littleEndian: bytes)
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5c)
    return
      ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash
      | (word &- ones &* 0x20) & ~word) & highs
  }

  /// Returns the index of the first byte at or behind `start` that is neither an ASCII letter nor a blank, else the end.
  ///
  /// Theory: sums of seven bits do not carry into the next byte, so that comparisons of all eight are exact.
  @inlinable
  public static func endOfWords(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    precondition(start >= 0, "a search begins inside its bytes")
    // Bytes have no invalid values.
    let raw = unsafe bytes.bytes
    var i = start
    while i + 16 <= raw.byteCount {
      // In bounds by the condition (indices only grow from a valid one); every bit pattern is a UInt64.
      let first = unsafe others(
        raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self))
      let second = unsafe others(
        raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i &+ 8, as: UInt64.self))
      if first | second != 0 {
        return first != 0
          ? i + first.trailingZeroBitCount / 8 : i + 8 + second.trailingZeroBitCount / 8
      }
      i += 16
    }
    while i < bytes.count, bytes[i] == 0x20 || (bytes[i] | 0x20) &- 0x61 < 26 { i += 1 }
    return i
  }

  /// The high bits of the bytes that are neither letters nor blanks.
  @inlinable
  @inline(__always)
  static func others(_ bytes: UInt64) -> UInt64 {
    let word = UInt64(littleEndian: bytes)
    let low = ~highs
    let small = (word | ones &* 0x20) & low
    let letters = (small &+ ones &* (0x80 - 0x61)) & ~(small &+ ones &* (0x80 - 0x7b)) & ~word
    let blank = word ^ (ones &* 0x20)
    return ~letters & (((blank & low) &+ low) | blank) & highs
  }

  /// Returns the index of the first byte at or behind `start` that is one of two, else `nil`.
  @inlinable
  public static func firstIndex(
    of one: UInt8, or other: UInt8, in bytes: Span<UInt8>, from start: Int
  ) -> Int? {
    precondition(start >= 0, "a search begins inside its bytes")
    // Bytes have no invalid values.
    let raw = unsafe bytes.bytes
    let ones8 = ones &* UInt64(one)
    let others8 = ones &* UInt64(other)
    var i = start
    while i + 16 <= raw.byteCount {
      // In bounds by the condition (indices only grow from a valid one); every bit pattern is a UInt64.
      let first = unsafe UInt64(
        littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self))
      let second = unsafe UInt64(
        littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i &+ 8, as: UInt64.self))
      let (a, b) = (first ^ ones8, first ^ others8)
      let (c, d) = (second ^ ones8, second ^ others8)
      let inFirst = ((a &- ones) & ~a | (b &- ones) & ~b) & highs
      let inSecond = ((c &- ones) & ~c | (d &- ones) & ~d) & highs
      if inFirst | inSecond != 0 {
        return inFirst != 0
          ? i + inFirst.trailingZeroBitCount / 8 : i + 8 + inSecond.trailingZeroBitCount / 8
      }
      i += 16
    }
    while i + 8 <= raw.byteCount {
      // In bounds by the condition (indices only grow from a valid one); every bit pattern is a UInt64.
      let word = unsafe UInt64(
        littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self))
      let a = word ^ ones8
      let b = word ^ others8
      let found = ((a &- ones) & ~a | (b &- ones) & ~b) & highs
      if found != 0 { return i + found.trailingZeroBitCount / 8 }
      i += 8
    }
    while i < bytes.count {
      if bytes[i] == one || bytes[i] == other { return i }
      i += 1
    }
    return nil
  }

  /// Returns the index of the first `byte` at or behind `start`, else `nil`.
  public static func firstIndex(
    of byte: UInt8, in bytes: Span<UInt8>, from start: Int
  ) -> Int? {
    if bytes.count - start < farAway {
      return firstIndex(of: byte, or: byte, in: bytes, from: start)
    }
    return unsafe bytes.extracting(start..<bytes.count).withUnsafeBytes { rest in
      // The system's own search uses the widest registers that the machine has.
      guard let first = rest.baseAddress,
        let found = unsafe memchr(first, Int32(byte), rest.count)
      else { return nil }
      return unsafe start + (UnsafeRawPointer(found) - first)
    }
  }

  /// Bytes from which on a call is worth it.
  private static let farAway = 48

  /// Appends bytes where there is room for them; traps where there is not.
  public static func append(_ bytes: Span<UInt8>, to output: inout OutputRawSpan) {
    precondition(bytes.count <= output.freeCapacity, "there is room for what is appended")
    // In bounds by the condition; bytes have no invalid values.
    unsafe output.withUnsafeMutableBytes { memory, count in
      unsafe bytes.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: $0)
      }
      count += bytes.count
    }
  }

  /// Appends bytes in one piece.
  public static func append(_ bytes: Span<UInt8>, to array: inout [UInt8]) {
    // The pointer does not leave the closure.
    unsafe bytes.withUnsafeBufferPointer { unsafe array.append(contentsOf: $0) }
  }

  /// Returns whether two spans hold the same bytes.
  public static func isEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    var i = 0
    // Bytes have no invalid values.
    let (x, y) = unsafe (a.bytes, b.bytes)
    while i + 8 <= a.count {
      // In bounds of both by the condition; every bit pattern is a UInt64.
      let one = unsafe x.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self)
      let other = unsafe y.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self)
      if one != other { return false }
      i += 8
    }
    while i < a.count {
      if a[i] != b[i] { return false }
      i += 1
    }
    return true
  }

  /// Returns the first eight bytes as a word, with zeros behind the end.
  @inlinable
  @inline(__always)
  static func head(_ bytes: Span<UInt8>) -> UInt64 {
    if bytes.count >= 8 {
      // Bytes have no invalid values; in bounds by the condition.
      return unsafe UInt64(
        littleEndian: bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt64.self))
    }
    var word: UInt64 = 0
    var i = bytes.count
    while i > 0 {
      i -= 1
      word = word << 8 | UInt64(bytes[i])
    }
    return word
  }

  /// Returns a hash for tables that forget: fast, the same in every run, and no defence against who makes collisions.
  public static func hash(_ bytes: Span<UInt8>) -> UInt64 {
    // Bytes have no invalid values.
    let raw = unsafe bytes.bytes
    var sum = UInt64(truncatingIfNeeded: bytes.count) &* 0x9e37_79b9_7f4a_7c15
    func mix(_ word: UInt64) {
      sum = (sum ^ word) &* 0xff51_afd7_ed55_8ccd
      sum ^= sum >> 32
    }
    var i = 0
    while i + 8 <= bytes.count {
      // In bounds by the condition; every bit pattern is a UInt64.
      mix(
        unsafe UInt64(
          littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self)))
      i += 8
    }
    var rest: UInt64 = 0
    while i < bytes.count {
      rest = rest << 8 | UInt64(bytes[i])
      i += 1
    }
    mix(rest)
    return sum ^ sum >> 29
  }

  /// Returns whether all bytes are below 0x80.
  @inlinable
  public static func isASCII(_ bytes: Span<UInt8>) -> Bool {
    // Bytes have no invalid values.
    let raw = unsafe bytes.bytes
    var i = 0
    var all: UInt64 = 0
    while i + 32 <= raw.byteCount {
      // In bounds by the condition; every bit pattern is a UInt64.
      let a = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self)
      let b = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i &+ 8, as: UInt64.self)
      let c = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i &+ 16, as: UInt64.self)
      let d = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i &+ 24, as: UInt64.self)
      all |= (a | b) | (c | d)
      i &+= 32
    }
    while i + 8 <= raw.byteCount {
      // In bounds by the condition; every bit pattern is a UInt64.
      all |= unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self)
      i += 8
    }
    while i < bytes.count {
      all |= UInt64(bytes[i])
      i += 1
    }
    return all & highs == 0
  }

  /// Returns the text of `range`; what is not UTF-8 becomes U+FFFD. Traps when the range is out of bounds.
  public static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    // The pointer does not leave the closure.
    unsafe bytes.extracting(range).withUnsafeBufferPointer {
      unsafe String(decoding: $0, as: UTF8.self)
    }
  }
}
