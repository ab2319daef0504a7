internal import CZlib
public import NIOCore

/// Compresses test data with zlib, flushing after each part as servers do between events.
public enum Deflate {
  /// How the compressed data is framed.
  public enum Framing: CaseIterable, Sendable {
    /// RFC 1952.
    case gzip
    /// RFC 1950.
    case zlib
    /// RFC 1951.
    case raw
  }

  /// Returns one piece for each part; what is decompressed up to its end is the parts up to it.
  public static func pieces(_ parts: [ByteBuffer], _ framing: Framing) -> [ByteBuffer] {
    let window: Int32 =
      switch framing {
      case .gzip: 31
      case .zlib: 15
      case .raw: -15
      }
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    defer {
      unsafe deflateEnd(stream)
      unsafe stream.deallocate()
    }
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    let status = unsafe deflateInit2_(
      stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    precondition(status == Z_OK, "zlib can't compress")
    return parts.enumerated().map { i, part in
      unsafe piece(of: part, stream, i == parts.count - 1 ? Z_FINISH : Z_SYNC_FLUSH)
    }
  }

  /// Returns `bytes` compressed at once.
  public static func whole(_ bytes: ByteBuffer, _ framing: Framing) -> ByteBuffer {
    pieces([bytes], framing).first ?? ByteBuffer()
  }

  private static func piece(
    of part: ByteBuffer, _ stream: UnsafeMutablePointer<z_stream>, _ flush: Int32
  ) -> ByteBuffer {
    var out = ByteBuffer()
    unsafe part.withUnsafeReadableBytes { input in
      let first = unsafe input.bindMemory(to: UInt8.self).baseAddress
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: first)
      unsafe stream.pointee.avail_in = UInt32(input.count)
      repeat {
        let room = 64 << 10
        unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
          unsafe stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
          unsafe stream.pointee.avail_out = UInt32(room)
          unsafe deflate(stream, flush)
          return unsafe room - Int(stream.pointee.avail_out)
        }
      } while unsafe stream.pointee.avail_out == 0
    }
    return out
  }
}
