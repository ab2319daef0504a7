public import NIOCore

extension ByteBuffer {
  /// The readable bytes.
  ///
  /// The same as `readableBytesUInt8Span`, but inlined, and so without that property's run-time watch over accesses to the
  /// storage: for loops that ask some bytes of every packet.
  @inlinable
  public var readableSpan: Span<UInt8> {
    @inline(__always)
    @_lifetime(borrow self)
    borrowing get {
      // Proof of safety: `self` keeps the storage while it is borrowed, and nobody writes to a storage that others may read:
      // who does copies it before. The span lives as long as the borrow.
      let bytes = unsafe withUnsafeReadableBytes { unsafe $0 }
      let span = unsafe Span<UInt8>(_unsafeBytes: bytes)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}
