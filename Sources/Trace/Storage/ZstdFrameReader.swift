import CZstd
import NIOCore

/// Decompresses zstd frames (RFC 8878) one behind the other, without I/O; skippable ones are passed over.
///
/// Theory: what comes out at once is bounded by `chunk`, whatever a frame says of its size; the size and the checksum are
/// compared with what came, so a frame that lies is damaged. Memory is bounded by the window that a frame demands: up to
/// 128 MiB, which `zstd --long` makes; frames with a longer one are refused. Behind damage nothing can be trusted: the
/// reader gives what came before it, says where the damaged frame begins, and is at its end.
@safe
final class ZstdFrameReader {
  /// The first four bytes of a frame, read as a little-endian number.
  private static let magic: UInt32 = 0xfd2f_b528
  /// Those of a skippable frame, but for the last four bits.
  private static let skippableMagic: UInt32 = 0x184d_2a50
  private static let windowLog: Int32 = 27
  /// So many bytes come out at once, at most.
  private static let chunk = 256 << 10

  /// Bytes of a frame that is not complete, so far.
  var unfinished: Int { isInside ? consumed - frameStart : 0 }

  private var input = ByteBuffer()
  private var consumed = 0
  private var frameStart = 0
  private var isInside = false
  /// zstd may hold back output for which there was no room.
  private var mayHoldMore = false
  private var isDamaged = false

  // Proof of safety: created in `init`, never leaves this object, freed in `deinit`; the pointers into buffers that
  // zstd is given do not outlive the call.
  private let context: OpaquePointer

  init() {
    guard let context = unsafe ZSTD_createDCtx() else {
      preconditionFailure("zstd needs memory to begin")
    }
    unsafe self.context = unsafe context
    let status = unsafe ZSTD_DCtx_setParameter(
      context, ZSTD_d_windowLogMax, ZstdFrameReader.windowLog)
    precondition(ZSTD_isError(status) == 0, "zstd knows the limit of the window")
  }

  deinit { unsafe ZSTD_freeDCtx(context) }

  /// Whether a file that starts with these four bytes or more is compressed; no line of a trace begins so.
  static func begins(_ first: ByteBuffer) -> Bool {
    guard let word = first.getInteger(at: first.readerIndex, endianness: .little, as: UInt32.self)
    else { return false }
    return word == magic || word & ~15 == skippableMagic
  }

  /// Appends the next bytes of the file.
  func append(_ bytes: ByteBuffer) {
    var bytes = bytes
    input.discardReadBytes()
    input.writeBuffer(&bytes)
  }

  /// Returns the next bytes that were compressed; `nil` when more input is needed.
  ///
  /// - Throws: `.damaged`, once, with the offset of the frame.
  func next() throws(TraceFormatError) -> ByteBuffer? {
    guard !isDamaged else { return nil }
    var out = ByteBuffer()
    while input.readableBytes > 0 || mayHoldMore {
      var status = 0
      var used = 0
      let written = unsafe out.writeWithUnsafeMutableBytes(
        minimumWritableBytes: ZstdFrameReader.chunk
      ) { space in
        unsafe input.withUnsafeReadableBytes { bytes in
          var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
          var target = unsafe ZSTD_outBuffer(
            dst: space.baseAddress, size: ZstdFrameReader.chunk, pos: 0)
          status = unsafe ZSTD_decompressStream(context, &target, &source)
          used = unsafe source.pos
          return unsafe target.pos
        }
      }
      guard ZSTD_isError(status) == 0 else {
        isDamaged = true
        isInside = false
        let words = unsafe String(cString: ZSTD_getErrorName(status))
        throw TraceFormatError(.damaged(words), offset: frameStart)
      }
      input.moveReaderIndex(forwardBy: used)
      consumed += used
      // At the end of a frame zstd says 0; asked again without input it would speak of the next one.
      if used > 0 || written > 0 { isInside = status != 0 }
      if !isInside { frameStart = consumed }
      mayHoldMore = isInside && written == ZstdFrameReader.chunk
      if written > 0 { return out }
    }
    return nil
  }
}
