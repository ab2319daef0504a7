import Basics
import NIOCore

extension ByteBuffer {
  /// Reads four bytes at `offset` from the reader index; the caller has checked that they are there.
  @inline(__always)
  func word(at offset: Int, isBigEndian: Bool) -> UInt32 {
    // The load checks its bounds; every bit pattern is a UInt32.
    let raw = unsafe readableSpan.bytes.unsafeLoadUnaligned(
      fromByteOffset: offset, as: UInt32.self)
    return isBigEndian ? UInt32(bigEndian: raw) : UInt32(littleEndian: raw)
  }

  /// Reads two bytes at `offset` from the reader index; the caller has checked that they are there.
  @inline(__always)
  func half(at offset: Int, isBigEndian: Bool) -> UInt16 {
    // The load checks its bounds; every bit pattern is a UInt16.
    let raw = unsafe readableSpan.bytes.unsafeLoadUnaligned(
      fromByteOffset: offset, as: UInt16.self)
    return isBigEndian ? UInt16(bigEndian: raw) : UInt16(littleEndian: raw)
  }
}
