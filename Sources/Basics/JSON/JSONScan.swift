/// Scanning of JSON text (RFC 8259) over bytes, without building values.
///
/// Every function takes the index to start at and returns the index behind what it consumed; `nil` means that the
/// bytes are not JSON. Nesting is limited to `depthLimit`, as hostile input must not exhaust the stack.
public enum JSONScan {
  /// Deepest nesting that is still read as JSON (Python's default recursion limit is 1,000).
  public static let depthLimit = 512

  /// Returns the index of the first byte at or behind `start` that is not white space.
  @inlinable
  public static func skipSpace(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var i = start
    while i < bytes.count {
      let byte = bytes[i]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { break }
      i += 1
    }
    return i
  }

  /// Returns the index behind the string whose opening quote is at `start`.
  @inlinable
  public static func skipString(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    var i = start + 1
    while i < bytes.count {
      let byte = bytes[i]
      if byte == 0x22 { return i + 1 }
      if byte < 0x20 { return nil }
      if byte == 0x5c {
        guard let next = skipEscape(bytes, i) else { return nil }
        i = next
      } else {
        i += 1
      }
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

  /// Returns the index behind the number that starts at `start`.
  @inlinable
  public static func skipNumber(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    var i = start
    func digits() -> Bool {
      let first = i
      while i < bytes.count, bytes[i] >= 0x30, bytes[i] <= 0x39 { i += 1 }
      return i > first
    }
    if i < bytes.count, bytes[i] == 0x2d { i += 1 }
    guard i < bytes.count else { return nil }
    if bytes[i] == 0x30 {
      i += 1
    } else if !digits() {
      return nil
    }
    if i < bytes.count, bytes[i] == 0x2e {
      i += 1
      guard digits() else { return nil }
    }
    if i < bytes.count, bytes[i] == 0x65 || bytes[i] == 0x45 {
      i += 1
      if i < bytes.count, bytes[i] == 0x2b || bytes[i] == 0x2d { i += 1 }
      guard digits() else { return nil }
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

  /// Returns the index behind the value that starts at `start` (no white space before it).
  public static func skipValue(_ bytes: Span<UInt8>, _ start: Int, depth: Int = 0) -> Int? {
    guard start < bytes.count, depth < depthLimit else { return nil }
    switch bytes[start] {
    case 0x22: return skipString(bytes, start)
    case 0x7b: return skipMembers(bytes, start, close: 0x7d, keyed: true, depth: depth)
    case 0x5b: return skipMembers(bytes, start, close: 0x5d, keyed: false, depth: depth)
    case 0x2d, 0x30...0x39: return skipNumber(bytes, start)
    default: return skipLiteral(bytes, start)
    }
  }

  private static func skipMembers(
    _ bytes: Span<UInt8>, _ start: Int, close: UInt8, keyed: Bool, depth: Int
  ) -> Int? {
    var i = skipSpace(bytes, start + 1)
    if i < bytes.count, bytes[i] == close { return i + 1 }
    while i < bytes.count {
      if keyed {
        guard bytes[i] == 0x22, let behind = skipString(bytes, i) else { return nil }
        i = skipSpace(bytes, behind)
        guard i < bytes.count, bytes[i] == 0x3a else { return nil }
        i = skipSpace(bytes, i + 1)
      }
      guard let behind = skipValue(bytes, i, depth: depth + 1) else { return nil }
      i = skipSpace(bytes, behind)
      guard i < bytes.count else { return nil }
      if bytes[i] == close { return i + 1 }
      guard bytes[i] == 0x2c else { return nil }
      i = skipSpace(bytes, i + 1)
    }
    return nil
  }
}
