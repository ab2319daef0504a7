internal import CZstd
public import NIOCore

/// Compresses test data with libzstd, flushing after each part as servers do between events.
public enum Zstandard {
  /// Returns one piece of a frame for each part; what is decompressed up to its end is the parts up to it.
  public static func pieces(_ parts: [ByteBuffer]) -> [ByteBuffer] {
    guard let context = unsafe ZSTD_createCCtx() else {
      preconditionFailure("libzstd can't compress")
    }
    defer { unsafe ZSTD_freeCCtx(context) }
    return parts.enumerated().map { i, part in
      let last = i == parts.count - 1
      var out = ByteBuffer()
      unsafe part.withUnsafeReadableBytes { bytes in
        var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var left = 0
        repeat {
          unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 10) { space in
            var target = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
            let mode = last ? ZSTD_e_end : ZSTD_e_flush
            left = unsafe ZSTD_compressStream2(context, &target, &source, mode)
            return unsafe target.pos
          }
        } while left > 0
      }
      return out
    }
  }
}
