import Basics
import Glibc
import NIOCore

/// Reads lines of a trace file where they stand: a compressed one in a copy of its text without a name, in `TMPDIR`
/// (`/var/tmp` when that is not set).
public final class TraceLineFile {
  private let descriptor: Int32

  /// Opens `path`, a file that can be read at any place, or the name of a recording in segments.
  ///
  /// - Throws: `TraceFormatError.io`, also when there is no room for the copy, and `.damaged`.
  public init(path: String) throws(TraceFormatError) {
    let parts = try SegmentFiles.open(path)
    guard parts.count == 1, case .file(let file) = parts[0], file.isPlainFile() else {
      descriptor = try TraceLineFile.unpacked(parts)
      return
    }
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw TraceFormatError(.io(errno: errno)) }
    guard lseek(descriptor, 0, SEEK_CUR) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw TraceFormatError(.io(errno: code))
    }
  }

  private static func unpacked(_ parts: [TraceInput.Part]) throws(TraceFormatError) -> Int32 {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp"
    var name = Array("\(folder)/mcptrace-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
    let copy = unsafe mkstemp(&name)
    guard copy >= 0 else { throw TraceFormatError(.io(errno: errno)) }
    unsafe unlink(name)
    do throws(TraceFormatError) {
      let input = TraceInput(parts)
      while let text = try input.next() { try append(text, to: copy) }
      return copy
    } catch {
      Glibc.close(copy)
      throw error
    }
  }

  private static func append(_ text: ByteBuffer, to file: Int32) throws(TraceFormatError) {
    var text = text
    while text.readableBytes > 0 {
      let count = unsafe text.withUnsafeReadableBytes {
        unsafe Glibc.write(file, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw TraceFormatError(.io(errno: count < 0 ? errno : EIO)) }
      text.moveReaderIndex(forwardBy: count)
    }
  }

  deinit { close(descriptor) }

  /// Returns the line of `length` bytes at `offset`.
  ///
  /// - Throws: `TraceFormatError`, with the offset: the file is another one than it was.
  public func event(offset: Int, length: Int) throws(TraceFormatError) -> TraceEvent {
    var buffer = ByteBuffer()
    var failure: Int32 = 0
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { space in
      var count = 0
      while count < length {
        let got = unsafe pread(
          descriptor, space.baseAddress?.advanced(by: count), length - count, offset + count)
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        count += got
      }
      return count
    }
    if failure != 0 { throw TraceFormatError(.io(errno: failure), offset: offset) }
    guard buffer.readableBytes == length, let line = RawJSON(validating: buffer) else {
      throw TraceFormatError(.notJSON, offset: offset)
    }
    return try TraceEvent(line: line)
  }
}
