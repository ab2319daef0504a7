import Glibc
import NIOCore

/// The bytes of a capture file in their order, decompressed where the file is compressed. Never seeks.
///
/// Memory: 64 KiB of compressed bytes and the window of the compression, whatever the file holds.
final class InputFile {
  /// The path as given, `-` for standard input.
  let path: String
  /// Whether the file can be opened again and read anywhere: not a pipe, a socket or a terminal.
  let isRegular: Bool

  private let descriptor: Int32
  private var decompression: Decompression?
  private var packed = ByteBuffer()
  private var isAtEnd = false
  /// Offset in the file of the first byte of `packed`.
  private var offset = 0

  private static let packedSize = 64 << 10

  /// Opens a file, or a duplicate of standard input, so that closing it leaves the process its own.
  init(path: String) throws(CaptureError) {
    descriptor = path == "-" ? dup(STDIN_FILENO) : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CaptureError(.cannotOpen, path: path, errno: errno) }
    self.path = path
    var status = stat()
    // The call only writes the local it is given.
    isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
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

  /// Appends up to `room` bytes to `out`; returns how many, 0 at the end.
  func read(into out: inout ByteBuffer, room: Int) throws(CaptureError) -> Int {
    while true {
      switch decompression {
      case .some(.none):
        return try readPlain(into: &out, room: room)
      case nil:
        // The first four bytes say how the file is packed; a pipe may give them one by one.
        while packed.readableBytes < 4, !isAtEnd { try refill() }
        decompression = Decompression(packed)
      case .gzip, .zstd:
        let count = try inflate(into: &out, room: room)
        if count > 0 || isAtEnd { return count }
        try refill()
      }
    }
  }

  /// Hands out what was read to look at the beginning, then reads straight into the caller's buffer.
  private func readPlain(into out: inout ByteBuffer, room: Int) throws(CaptureError) -> Int {
    if packed.readableBytes > 0 { return out.writeBuffer(&packed) }
    return isAtEnd ? 0 : try readSome(into: &out, room: room)
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

  private func refill() throws(CaptureError) {
    packed.discardReadBytes()
    var more = packed
    packed = ByteBuffer()
    let count = try readSome(into: &more, room: InputFile.packedSize)
    packed = more
    offset += count
  }

  private func readSome(into out: inout ByteBuffer, room: Int) throws(CaptureError) -> Int {
    while true {
      var count = 0
      unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        count = unsafe Glibc.read(descriptor, space.baseAddress, room)
        return max(0, count)
      }
      if count == 0 { isAtEnd = true }
      if count >= 0 { return count }
      guard errno == EINTR else { throw CaptureError(.cannotOpen, path: path, errno: errno) }
    }
  }
}

extension CaptureError {
  /// A failure in the system's words.
  init(_ what: What, path: String, errno: Int32) {
    self.init(what, path: path, cause: unsafe String(cString: strerror(errno)))
  }
}
