import Glibc
import NIOCore

/// The text of a trace file in chunks, decompressed where its first bytes say that it is zstd.
final class TraceInput {
  /// Bytes of a compressed frame that the file ends in, once it has ended.
  private(set) var cutOff = 0

  private static let chunk = 256 << 10
  private let descriptor: Int32
  private var frames: ZstdFrameReader?
  private var hasBegun = false
  private var hasEnded = false

  /// Opens `path`; `-` is standard input.
  ///
  /// - Throws: `TraceFormatError.io`.
  init(path: String) throws(TraceFormatError) {
    descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw TraceFormatError(.io(errno: errno)) }
  }

  deinit { if descriptor > 0 { close(descriptor) } }

  /// Returns the next bytes of text, `nil` at the end of the file.
  ///
  /// - Throws: `.io` and `.damaged`; behind either the file is at its end.
  func next() throws(TraceFormatError) -> ByteBuffer? {
    while true {
      if let text = try frames?.next() { return text }
      guard let bytes = try read() else {
        cutOff = frames?.unfinished ?? 0
        return nil
      }
      guard let frames else { return bytes }
      frames.append(bytes)
    }
  }

  /// Returns the next bytes of the file, of the first at least four if it has so many.
  private func read() throws(TraceFormatError) -> ByteBuffer? {
    var buffer = ByteBuffer()
    repeat { try fill(&buffer) } while !hasEnded && !hasBegun && buffer.readableBytes < 4
    if !hasBegun {
      hasBegun = true
      if ZstdFrameReader.begins(buffer) { frames = ZstdFrameReader() }
    }
    return buffer.readableBytes > 0 ? buffer : nil
  }

  private func fill(_ buffer: inout ByteBuffer) throws(TraceFormatError) {
    guard !hasEnded else { return }
    var result = 0
    repeat {
      unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: TraceInput.chunk) { space in
        result = unsafe Glibc.read(descriptor, space.baseAddress, TraceInput.chunk)
        return max(0, result)
      }
    } while result < 0 && errno == EINTR
    hasEnded = result <= 0
    guard result >= 0 else { throw TraceFormatError(.io(errno: errno)) }
  }
}
