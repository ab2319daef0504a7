import CZstd
import NIOCore

/// Decompresses a zstd file (RFC 8878): one frame or several, skippable ones passed over.
///
/// Theory: as with gzip, what comes out is bounded by the room given. Memory is bounded by the window that a frame
/// demands: up to 128 MiB, which `zstd --long` makes and all decoders take by default; frames with a longer one are refused.
@safe
final class ZstdFrames {
  /// The first four bytes, read as a little-endian number.
  static let magic: UInt32 = 0xfd2f_b528
  /// Those of a skippable frame, but for the last four bits.
  static let skippableMagic: UInt32 = 0x184d_2a50

  private static let windowLog: Int32 = 27

  /// True between the first byte of a frame and its end.
  private(set) var isInside = false

  // Proof of safety: created in `init`, never leaves this object, freed in `deinit`; the pointers into buffers that
  // zstd is given do not outlive the call.
  private let context: OpaquePointer

  init() {
    guard let context = unsafe ZSTD_createDCtx() else {
      preconditionFailure("zstd needs memory to begin")
    }
    unsafe self.context = unsafe context
    let status = unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZstdFrames.windowLog)
    precondition(ZSTD_isError(status) == 0, "zstd knows the limit of the window")
  }

  deinit { unsafe ZSTD_freeDCtx(context) }

  /// Decompresses what fits into `out`'s `room`; takes what it used from `input`. Returns bytes written.
  func inflate(
    _ input: inout ByteBuffer, into out: inout ByteBuffer, room: Int
  ) throws(Flaw) -> Int {
    while true {
      var status = 0
      var used = 0
      let written = unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        unsafe input.withUnsafeReadableBytes { bytes in
          var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
          var target = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: room, pos: 0)
          status = unsafe ZSTD_decompressStream(context, &target, &source)
          used = unsafe source.pos
          return unsafe target.pos
        }
      }
      input.moveReaderIndex(forwardBy: used)
      guard ZSTD_isError(status) == 0 else {
        throw Flaw(.corruptContainer, unsafe String(cString: ZSTD_getErrorName(status)))
      }
      // At the end of a frame zstd says 0; asked again without input it would speak of the next one.
      if used > 0 || written > 0 { isInside = status != 0 }
      if written > 0 || input.readableBytes == 0 { return written }
    }
  }
}
