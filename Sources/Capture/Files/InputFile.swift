import Glibc
import NIOCore

/// What reading on brought.
enum Refill {
  /// So many bytes, at least one.
  case bytes(Int)
  /// Nothing yet; only from pipes.
  case waiting
  /// The end of the file.
  case end
}

/// The bytes of a capture file in their order, decompressed where the file is compressed. Never seeks.
///
/// Before it waits for a pipe it says so, once, and then each half second.
///
/// Memory: 64 KiB of compressed bytes and the window of the compression, whatever the file holds.
final class InputFile {
  /// The path as given, `-` for standard input.
  let path: String
  /// Whether the file can be opened again and read anywhere: not a pipe, a socket, a terminal or standard input.
  let isRegular: Bool

  private let descriptor: Int32
  private var decompression: Decompression?
  private var packed = ByteBuffer()
  private var isAtEnd = false
  /// Offset in the file of the first byte of `packed`.
  private var offset = 0

  /// Whether it was said that the pipe is waited for.
  private var isWaiting = false

  private static let packedSize = 64 << 10
  /// How long to wait for a pipe at once, in milliseconds: signals and flushes (every second) are due in between.
  private static let patience: Int32 = 500

  /// Opens a file, or a duplicate of standard input, so that closing it leaves the process its own.
  init(path: String) throws(CaptureError) {
    descriptor = path == "-" ? dup(STDIN_FILENO) : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CaptureError(.cannotOpen, path: path, errno: errno) }
    self.path = path
    var status = stat()
    // The call only writes the local it is given.
    isRegular =
      unsafe path != "-" && fstat(descriptor, &status) == 0
      && status.st_mode & S_IFMT == S_IFREG
  }

  deinit { close(descriptor) }

  /// Whether the compressed data ended before its end.
  var isCutOff: Bool {
    switch decompression {
    case .gzip(let members): members.isInside
    case .zstd(let frames): frames.isInside
    case .some(.none), nil: false
    }
  }

  /// Bytes behind the compressed data.
  var trailing: Int {
    guard case .gzip(let members) = decompression else { return 0 }
    return members.trailing
  }

  /// Appends up to `room` bytes to `out`.
  func read(into out: inout ByteBuffer, room: Int) throws(CaptureError) -> Refill {
    while true {
      switch decompression {
      case .some(.none):
        return try readPlain(into: &out, room: room)
      case nil:
        // The first four bytes say how the file is packed; a pipe may give them one by one.
        if packed.readableBytes >= 4 || isAtEnd {
          decompression = Decompression(packed)
        } else if case .waiting = try refill() {
          return .waiting
        }
      case .gzip, .zstd:
        let count = try inflate(into: &out, room: room)
        if count > 0 { return .bytes(count) }
        if isAtEnd { return .end }
        if case .waiting = try refill() { return .waiting }
      }
    }
  }

  /// Hands out what was read to look at the beginning, then reads straight into the caller's buffer.
  private func readPlain(into out: inout ByteBuffer, room: Int) throws(CaptureError) -> Refill {
    if packed.readableBytes > 0 { return .bytes(out.writeBuffer(&packed)) }
    return isAtEnd ? .end : try readSome(into: &out, room: room)
  }

  private func inflate(into out: inout ByteBuffer, room: Int) throws(CaptureError) -> Int {
    do throws(Flaw) {
      switch decompression {
      case .gzip(let members): return try members.inflate(&packed, into: &out, room: room)
      case .zstd(let frames): return try frames.inflate(&packed, into: &out, room: room)
      case .some(.none), nil: return 0
      }
    } catch {
      let at = offset - packed.readableBytes
      throw CaptureError(error.what, path: path, offset: at, cause: error.cause)
    }
  }

  /// Reads more of the file as it is.
  private func refill() throws(CaptureError) -> Refill {
    packed.discardReadBytes()
    var more = packed
    packed = ByteBuffer()
    defer { packed = more }
    let result = try readSome(into: &more, room: InputFile.packedSize)
    if case .bytes(let count) = result { offset += count }
    return result
  }

  private func readSome(into out: inout ByteBuffer, room: Int) throws(CaptureError) -> Refill {
    guard isRegular || isReady() else { return .waiting }
    while true {
      var count = 0
      unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        count = unsafe Glibc.read(descriptor, space.baseAddress, room)
        return max(0, count)
      }
      if count > 0 { return .bytes(count) }
      if count == 0 {
        isAtEnd = true
        return .end
      }
      guard errno == EINTR else { throw CaptureError(.cannotOpen, path: path, errno: errno) }
    }
  }

  /// Whether a pipe has something to read, or has ended; waits when it was said before that it is waited for.
  private func isReady() -> Bool {
    var query = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // The call only writes the local it is given; an interruption is a reason to look at signals.
    isWaiting = unsafe poll(&query, 1, isWaiting ? InputFile.patience : 0) <= 0
    return !isWaiting
  }
}

extension CaptureError {
  /// A failure in the system's words.
  init(_ what: What, path: String, errno: Int32) {
    self.init(what, path: path, cause: unsafe String(cString: strerror(errno)))
  }
}
