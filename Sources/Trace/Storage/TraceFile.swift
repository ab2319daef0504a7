import Glibc
import NIOCore

/// The text of one file in chunks, decompressed where its first bytes say that it is zstd.
final class TraceFile {
  /// Bytes of a compressed frame that the file ends in, once it has ended.
  private(set) var cutOff = 0
  private static let chunk = 256 << 10
  /// Headers are shorter.
  private static let headerChunk = 4 << 10
  private var chunk = TraceFile.chunk
  private let descriptor: Int32
  private var frames: ZstdFrameReader?
  private var hasBegun = false
  private var hasEnded = false

  /// Opens a file.
  ///
  /// - Throws: `TraceFormatError.io`.
  init(path: String) throws(TraceFormatError) {
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw TraceFormatError(.io(errno: errno)) }
  }

  /// Reads an open descriptor from where it stands, and closes it in the end unless it is a standard one.
  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { if descriptor > 2 { close(descriptor) } }

  /// Whether the text is the file's own bytes, by the first of them; also when they can't be looked at beforehand.
  func isPlainFile() -> Bool {
    var first = ByteBuffer()
    unsafe first.writeWithUnsafeMutableBytes(minimumWritableBytes: 4) { space in
      max(0, unsafe pread(descriptor, space.baseAddress, 4, 0))
    }
    return !ZstdFrameReader.begins(first)
  }

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

  /// Returns the header and goes back to the beginning; `nil` where there is none, or no way back.
  func peekHeader() -> HeaderLine? {
    guard lseek(descriptor, 0, SEEK_CUR) == 0 else { return nil }
    chunk = TraceFile.headerChunk
    defer {
      lseek(descriptor, 0, SEEK_SET)
      chunk = TraceFile.chunk
      (frames, hasBegun, hasEnded) = (nil, false, false)
    }
    var decoder = TraceDecoder()
    do throws(TraceFormatError) {
      while let text = try next() {
        decoder.append(text)
        if case .header(let header)? = try decoder.next() { return header }
      }
      return nil
    } catch {
      // Whoever reads on is told.
      return nil
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
      unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: chunk) { space in
        result = unsafe Glibc.read(descriptor, space.baseAddress, chunk)
        return max(0, result)
      }
    } while result < 0 && errno == EINTR
    hasEnded = result <= 0
    guard result >= 0 else { throw TraceFormatError(.io(errno: errno)) }
  }
}
