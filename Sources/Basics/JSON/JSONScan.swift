/// Scanning of JSON text (RFC 8259) over bytes, without building values.
///
/// Every function takes the index to start at and returns the index behind what it consumed; `nil` means that the
/// bytes are not JSON. Nesting is limited to `depthLimit`, as hostile input must not exhaust anything.
public enum JSONScan {
  /// Deepest nesting that is still read as JSON (Python's default recursion limit is 1,000).
  public static let depthLimit = 512

  /// Returns the index of the first byte at or behind `start` that is not white space.
  @inlinable
  public static func skipSpace(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var i = start
    while i < bytes.count, isSpace(bytes[i]) { i += 1 }
    return i
  }

  /// Returns whether a byte is white space between tokens.
  @inlinable
  public static func isSpace(_ byte: UInt8) -> Bool {
    byte <= 0x20 && (byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09)
  }

  /// Returns the index behind the string whose opening quote is at `start`.
  @inlinable
  public static func skipString(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    // Most are names and words: for them a search is not worth a call.
    if let end = ByteScan.endOfShortText(bytes, start + 1), bytes[end] == 0x22 { return end + 1 }
    var i = ByteScan.endOfPlainText(bytes, start + 1)
    while i < bytes.count {
      if bytes[i] == 0x22 { return i + 1 }
      guard bytes[i] == 0x5c, let next = skipEscape(bytes, i) else { return nil }
      i = ByteScan.endOfPlainText(bytes, next)
    }
    return nil
  }

  /// Returns the index behind the escape sequence whose backslash is at `start`.
  @inlinable
  static func skipEscape(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    guard start + 1 < bytes.count else { return nil }
    switch bytes[start + 1] {
    case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: return start + 2
    case 0x75:
      guard start + 6 <= bytes.count else { return nil }
      for i in start + 2..<start + 6 where hexValue(bytes[i]) == nil { return nil }
      return start + 6
    default: return nil
    }
  }

  /// Returns the value of a hexadecimal digit.
  @inlinable
  public static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  /// Returns the index behind the digits at `start`.
  @inlinable
  static func skipDigits(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var i = start
    while i < bytes.count, bytes[i] &- 0x30 < 10 { i += 1 }
    return i
  }

  /// Returns the index behind the number that starts at `start`.
  @inlinable
  public static func skipNumber(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    var i = start
    if i < bytes.count, bytes[i] == 0x2d { i += 1 }
    let whole = i
    i = skipDigits(bytes, i)
    guard i > whole, i == whole + 1 || bytes[whole] != 0x30 else { return nil }
    if i < bytes.count, bytes[i] == 0x2e {
      let fraction = i + 1
      i = skipDigits(bytes, fraction)
      guard i > fraction else { return nil }
    }
    if i < bytes.count, bytes[i] | 0x20 == 0x65 {
      var exponent = i + 1
      if exponent < bytes.count, bytes[exponent] == 0x2b || bytes[exponent] == 0x2d {
        exponent += 1
      }
      i = skipDigits(bytes, exponent)
      guard i > exponent else { return nil }
    }
    return i
  }

  /// Returns the index behind `true`, `false` or `null` at `start`.
  @inlinable
  public static func skipLiteral(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    guard start + 4 <= bytes.count else { return nil }
    let word =
      UInt32(bytes[start]) << 24 | UInt32(bytes[start + 1]) << 16 | UInt32(bytes[start + 2]) << 8
      | UInt32(bytes[start + 3])
    switch word {
    case 0x7472_7565, 0x6e75_6c6c: return start + 4
    case 0x6661_6c73: return start + 4 < bytes.count && bytes[start + 4] == 0x65 ? start + 5 : nil
    default: return nil
    }
  }

  /// Returns the index behind the value that starts at `start` (no white space before it), nested in `depth` others.
  public static func skipValue(_ bytes: Span<UInt8>, _ start: Int, depth: Int = 0) -> Int? {
    var isSpaced = false
    return skipValue(bytes, start, depth: depth, isSpaced: &isSpaced)
  }

  /// The same; `isSpaced` becomes true when there is white space between the tokens of the value.
  ///
  /// A loop with a bit for each open bracket, not a recursion: deep input costs no stack.
  static func skipValue(
    _ bytes: Span<UInt8>, _ start: Int, depth: Int, isSpaced: inout Bool
  ) -> Int? {
    var open = Nesting()
    var i = start
    while i < bytes.count, depth + open.count < depthLimit {
      // At a value.
      let byte = bytes[i]
      switch byte {
      case 0x22:
        guard let next = skipString(bytes, i) else { return nil }
        i = next
      case 0x7b, 0x5b:
        i = skipSpace(bytes, i + 1, &isSpaced)
        guard i < bytes.count else { return nil }
        guard bytes[i] == byte + 2 else {
          open.push(isObject: byte == 0x7b)
          if byte == 0x7b {
            guard let next = skipKey(bytes, i, &isSpaced) else { return nil }
            i = next
          }
          continue
        }
        i += 1
      case 0x2d, 0x30...0x39:
        guard let next = skipNumber(bytes, i) else { return nil }
        i = next
      default:
        guard let next = skipLiteral(bytes, i) else { return nil }
        i = next
      }
      // Behind a value: close what closes here, up to the next value.
      while true {
        if open.count == 0 { return i }
        i = skipSpace(bytes, i, &isSpaced)
        guard i < bytes.count else { return nil }
        if bytes[i] == 0x2c {
          i = skipSpace(bytes, i + 1, &isSpaced)
          if open.isObject {
            guard let next = skipKey(bytes, i, &isSpaced) else { return nil }
            i = next
          }
          break
        }
        guard bytes[i] == (open.isObject ? 0x7d : 0x5d) else { return nil }
        open.pop()
        i += 1
      }
    }
    return nil
  }

  /// Walks the members of the object that starts at `start` and returns the index behind it.
  ///
  /// `body` gets a member at a time, before it is known whether the rest is valid: the key without its quotes, and the value.
  static func walkMembers(
    _ bytes: Span<UInt8>, _ start: Int, _ body: (_ key: Range<Int>, _ value: Range<Int>) -> Void
  ) -> Int? {
    var (keys, isSpaced) = (Members(bytes, start), false)
    while let key = keys.next(bytes, &isSpaced) {
      let value = keys.index
      guard let end = skipValue(bytes, value, depth: 1) else { return nil }
      body(key, value..<end)
      keys.skip(to: end)
    }
    return keys.end
  }

  /// A walk over the members of an object, for who looks at the values: `next` gives a key, `skip` says where its value ends.
  ///
  /// A value and no closure, so that who walks can keep what it finds in its own variables.
  struct Members {
    /// Where the value of the last key begins.
    private(set) var index: Int
    private var isFirst = true
    /// The index behind the object, once it was walked to its end; `nil` where it is none.
    private(set) var end: Int?

    init(_ bytes: Span<UInt8>, _ start: Int) {
      index = start < bytes.count && bytes[start] == 0x7b ? start + 1 : bytes.count
    }

    /// Returns the next key without its quotes; `nil` when there is none, or no object. `isSpaced` becomes true when there is
    /// white space on the way.
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>, _ isSpaced: inout Bool) -> Range<Int>? {
      index = skipSpace(bytes, index, &isSpaced)
      guard index < bytes.count else { return nil }
      if bytes[index] == 0x7d {
        end = index + 1
        return nil
      }
      if !isFirst {
        guard bytes[index] == 0x2c else { return nil }
        index = skipSpace(bytes, index + 1, &isSpaced)
      }
      isFirst = false
      guard index < bytes.count, bytes[index] == 0x22, let behind = skipString(bytes, index) else {
        return nil
      }
      let key = index + 1..<behind - 1
      index = skipSpace(bytes, behind, &isSpaced)
      guard index < bytes.count, bytes[index] == 0x3a else { return nil }
      index = skipSpace(bytes, index + 1, &isSpaced)
      return key
    }

    /// Goes on behind the value of the last key.
    @inline(__always)
    mutating func skip(to end: Int) { index = end }
  }

  @inline(__always)
  private static func skipSpace(
    _ bytes: Span<UInt8>, _ start: Int, _ isSpaced: inout Bool
  ) -> Int {
    guard start < bytes.count, isSpace(bytes[start]) else { return start }
    isSpaced = true
    return skipSpace(bytes, start + 1)
  }

  /// Returns the index of the value whose key's opening quote is at `start`.
  private static func skipKey(
    _ bytes: Span<UInt8>, _ start: Int, _ isSpaced: inout Bool
  ) -> Int? {
    guard start < bytes.count, bytes[start] == 0x22, let behind = skipString(bytes, start) else {
      return nil
    }
    let colon = skipSpace(bytes, behind, &isSpaced)
    guard colon < bytes.count, bytes[colon] == 0x3a else { return nil }
    return skipSpace(bytes, colon + 1, &isSpaced)
  }

  /// The brackets that are open: a bit for each outside the innermost, set for objects.
  private struct Nesting {
    private var outer: [8 of UInt64] = .init(repeating: 0)
    private(set) var count = 0
    /// Whether the innermost is an object.
    private(set) var isObject = false

    mutating func push(isObject: Bool) {
      let bit: UInt64 = 1 << UInt64(count & 63)
      if self.isObject { outer[count >> 6] |= bit } else { outer[count >> 6] &= ~bit }
      self.isObject = isObject
      count += 1
    }

    mutating func pop() {
      count -= 1
      isObject = outer[count >> 6] >> UInt64(count & 63) & 1 == 1
    }
  }
}
