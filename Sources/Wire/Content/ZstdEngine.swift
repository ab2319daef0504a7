internal import CZstd
import NIOCore

/// libzstd's decoder: frame after frame, each with the window that HTTP allows (RFC 9659: 8 MiB).
@safe
final class ZstdEngine {
  private static let windowLog: Int32 = 23

  private let context: OpaquePointer?

  init() {
    unsafe context = ZSTD_createDCtx()
    if let context = unsafe context {
      unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZstdEngine.windowLog)
    }
  }

  deinit { unsafe ZSTD_freeDCtx(context) }

  func run(_ input: inout ByteBuffer, into out: inout ByteBuffer, room: Int) -> CodingStatus {
    guard let context = unsafe context else { return .broken }
    var result = 0
    var written = 0
    let used = unsafe input.withUnsafeReadableBytes { bytes in
      var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
      unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        var target = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: room, pos: 0)
        result = unsafe ZSTD_decompressStream(context, &target, &source)
        written = unsafe target.pos
        return written
      }
      return unsafe source.pos
    }
    input.moveReaderIndex(forwardBy: used)
    if ZSTD_isError(result) != 0 { return .broken }
    if result == 0 { return .finished }
    return written == room ? .full : .more
  }

  /// Whether the input goes on with another frame, perhaps a skippable one (RFC 8878 §3.1): by its first byte.
  func begins(_ input: ByteBuffer) -> Bool {
    guard let first = input.readableBytesView.first else { return false }
    return first == 0x28 || first >> 4 == 5
  }
}
