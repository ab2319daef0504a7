import Basics
import Glibc
import NIOCore

/// Reads lines of a trace file where they stand.
public final class TraceLineFile {
  private let descriptor: Int32

  /// Opens `path`, a file that can be read at any place.
  ///
  /// - Throws: `TraceFormatError.io`.
  public init(path: String) throws(TraceFormatError) {
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw TraceFormatError(.io(errno: errno)) }
    guard lseek(descriptor, 0, SEEK_CUR) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw TraceFormatError(.io(errno: code))
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
