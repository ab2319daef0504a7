extension Span where Element == UInt8 {
  // Proof of safety: any bit pattern is an integer, and the loads trap beyond the span's ends.

  /// Reads two bytes in network order; the caller has checked that they are there.
  @inline(__always)
  func bigEndian16(at i: Int) -> UInt16 {
    UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt16.self))
  }

  /// Reads four bytes in network order; the caller has checked that they are there.
  @inline(__always)
  func bigEndian32(at i: Int) -> UInt32 {
    UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt32.self))
  }

  /// Reads eight bytes in network order; the caller has checked that they are there.
  @inline(__always)
  func bigEndian64(at i: Int) -> UInt64 {
    UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
  }
}
