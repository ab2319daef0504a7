extension Span where Element == UInt8 {
  /// Reads two bytes in network order; the caller has checked that they are there.
  func bigEndian16(at i: Int) -> UInt16 {
    UInt16(self[i]) << 8 | UInt16(self[i + 1])
  }

  /// Reads four bytes in network order; the caller has checked that they are there.
  func bigEndian32(at i: Int) -> UInt32 {
    UInt32(bigEndian16(at: i)) << 16 | UInt32(bigEndian16(at: i + 2))
  }

  /// Reads eight bytes in network order; the caller has checked that they are there.
  func bigEndian64(at i: Int) -> UInt64 {
    UInt64(bigEndian32(at: i)) << 32 | UInt64(bigEndian32(at: i + 4))
  }
}
