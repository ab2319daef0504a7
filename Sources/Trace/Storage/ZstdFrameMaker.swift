import Basics
import CZstd
import NIOCore

/// Makes zstd frames (RFC 8878), each complete and with a checksum, so that what stands before a cut can be read.
@safe
final class ZstdFrameMaker {
  /// The frame that was made last.
  private(set) var frame = ByteBuffer()

  // Proof of safety: created in `init`, never leaves this object, freed in `deinit`; the pointers into buffers that
  // zstd is given do not outlive the call.
  private let context: OpaquePointer

  /// Creates a maker of frames of one level, 1 to 19.
  init(level: Int) {
    guard let context = unsafe ZSTD_createCCtx() else {
      preconditionFailure("zstd needs memory to begin")
    }
    unsafe self.context = unsafe context
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    let status = unsafe ZSTD_CCtx_setParameter(
      context, ZSTD_c_compressionLevel, Int32(clamping: level))
    precondition(ZSTD_isError(status) == 0, "zstd knows its levels")
  }

  deinit { unsafe ZSTD_freeCCtx(context) }

  /// Makes the next `frame`; false when there is no memory for it.
  func make(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if frame.capacity > TraceWriter.memoryKept { frame = ByteBuffer() }
    frame.clear()
    let room = ZSTD_compressBound(bytes.count)
    var status = 0
    unsafe frame.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
      status = unsafe ZSTD_compress2(
        context, space.baseAddress, space.count, bytes.baseAddress, bytes.count)
      return ZSTD_isError(status) == 0 ? status : 0
    }
    return ZSTD_isError(status) == 0
  }
}
