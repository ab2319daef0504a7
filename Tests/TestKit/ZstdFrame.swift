internal import CZstd
public import NIOCore

/// Compresses test data with zstd.
public enum ZstdFrame {
  /// Returns `bytes` as one frame with a checksum.
  ///
  /// - Parameter windowLog: The window a reader must have, as a power of two; 0 leaves it to zstd.
  public static func whole(_ bytes: ByteBuffer, windowLog: Int32 = 0) -> ByteBuffer {
    let context = unsafe ZSTD_createCCtx()
    defer { unsafe ZSTD_freeCCtx(context) }
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    if windowLog > 0 {
      unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog)
    }
    var out = ByteBuffer()
    let room = ZSTD_compressBound(bytes.readableBytes) + 64
    unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
      unsafe bytes.withUnsafeReadableBytes { source in
        var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        var output = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: room, pos: 0)
        // The size is not said, so that the window is in the frame's header.
        let rest = unsafe ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue)
        precondition(ZSTD_isError(rest) == 0, "zstd can't compress")
        let end = unsafe ZSTD_compressStream2(context, &output, &input, ZSTD_e_end)
        precondition(end == 0, "zstd can't compress")
        return unsafe output.pos
      }
    }
    return out
  }

  /// Returns one piece of a frame for each part, flushed as servers do between events.
  public static func pieces(_ parts: [ByteBuffer]) -> [ByteBuffer] {
    let context = unsafe ZSTD_createCCtx()
    defer { unsafe ZSTD_freeCCtx(context) }
    return parts.enumerated().map { i, part in
      let mode = i == parts.count - 1 ? ZSTD_e_end : ZSTD_e_flush
      var out = ByteBuffer()
      let room = ZSTD_compressBound(part.readableBytes) + 64
      unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        unsafe part.withUnsafeReadableBytes { source in
          var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
          var output = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: room, pos: 0)
          let rest = unsafe ZSTD_compressStream2(context, &output, &input, mode)
          precondition(rest == 0, "zstd can't compress")
          return unsafe output.pos
        }
      }
      return out
    }
  }

  /// Returns a skippable frame.
  public static func skippable(_ bytes: [UInt8]) -> ByteBuffer {
    var out = ByteBuffer()
    out.writeInteger(UInt32(0x184d_2a53), endianness: .little)
    out.writeInteger(UInt32(bytes.count), endianness: .little)
    out.writeBytes(bytes)
    return out
  }
}
