internal import CZlib
import NIOCore

/// zlib's inflate, with gzip's framing read here: more leniently than zlib does, as browsers and tshark do.
///
/// Header flags that are reserved are ignored; a trailer may be missing or wrong (the sum is not checked: what inflates
/// is what was sent).
@safe
final class InflateEngine {
  /// What is around the deflate stream.
  enum Framing {
    /// RFC 1952, several members (§2.2).
    case gzip
    /// RFC 1950.
    case zlib
    /// RFC 1951.
    case raw
  }

  let framing: Framing
  private static let zlibWindow: Int32 = 15
  private static let rawWindow: Int32 = -15
  private static let trailerSize = 8

  /// zlib's state; initialised while `isStarted`, at one address all its life, as zlib demands.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isStarted = false
  /// Bytes of a gzip header that is not whole; `nil` behind it.
  private var header: ByteBuffer?
  private var trailerLeft = 0

  init(_ framing: Framing) {
    self.framing = framing
    header = framing == .gzip ? ByteBuffer() : nil
    unsafe stream = UnsafeMutablePointer.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    let window = framing == .zlib ? InflateEngine.zlibWindow : InflateEngine.rawWindow
    isStarted = unsafe inflateInit2_(stream, window, ZLIB_VERSION, size) == Z_OK
  }

  deinit {
    if isStarted { unsafe inflateEnd(stream) }
    unsafe stream.deallocate()
  }

  func run(_ input: inout ByteBuffer, into out: inout ByteBuffer, room: Int) -> CodingStatus {
    guard isStarted else { return .broken }
    if trailerLeft > 0 {
      let count = min(trailerLeft, input.readableBytes)
      input.moveReaderIndex(forwardBy: count)
      trailerLeft -= count
      return trailerLeft == 0 ? .finished : .more
    }
    if var header {
      header.writeImmutableBuffer(input)
      switch GzipHeader.length(header) {
      case nil: return .broken
      case 0:
        self.header = header
        input.moveReaderIndex(to: input.writerIndex)
        return .more
      case let length?:
        // What of it is in this input.
        let before = header.readableBytes - input.readableBytes
        input.moveReaderIndex(forwardBy: max(0, length - before))
        self.header = nil
      }
    }
    let status = inflate(&input, into: &out, room: room)
    guard status == .finished, framing == .gzip else { return status }
    trailerLeft = InflateEngine.trailerSize
    return .finished
  }

  /// Whether the input goes on with another gzip member.
  func begins(_ input: ByteBuffer) -> Bool {
    if trailerLeft > 0 { return true }
    guard framing == .gzip, input.readableBytesView.first == 0x1f else { return false }
    header = ByteBuffer()
    return unsafe inflateReset(stream) == Z_OK
  }

  private func inflate(
    _ input: inout ByteBuffer, into out: inout ByteBuffer, room: Int
  ) -> CodingStatus {
    var status = Z_OK
    let used = unsafe input.withUnsafeReadableBytes { bytes in
      // zlib does not write to its input; its header lacks the `const`.
      let first = unsafe bytes.bindMemory(to: UInt8.self).baseAddress
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: first)
      unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
      defer { unsafe stream.pointee.next_in = nil }
      unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        unsafe stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
        unsafe stream.pointee.avail_out = UInt32(room)
        status = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
        unsafe stream.pointee.next_out = nil
        return unsafe room - Int(stream.pointee.avail_out)
      }
      return unsafe min(bytes.count, Int(UInt32.max)) - Int(stream.pointee.avail_in)
    }
    input.moveReaderIndex(forwardBy: used)
    if status == Z_STREAM_END { return .finished }
    if unsafe stream.pointee.avail_out == 0 { return .full }
    // Room was left, so that only the lack of input may stop it.
    if status == Z_BUF_ERROR { return input.readableBytes > 0 ? .broken : .more }
    return status == Z_OK ? .more : .broken
  }
}

/// The header of a gzip member (RFC 1952 §2.3).
private enum GzipHeader {
  /// Longest header that is read.
  private static let limit = 64 << 10

  /// Its length, 0 while it is not whole, `nil` when it is none.
  static func length(_ buffer: ByteBuffer) -> Int? {
    let bytes = buffer.readableBytesUInt8Span
    let start: [UInt8] = [0x1f, 0x8b, 8]
    guard (0..<min(3, bytes.count)).allSatisfy({ bytes[$0] == start[$0] }) else { return nil }
    guard bytes.count >= 10 else { return 0 }
    let flags = bytes[3]
    var i = 10
    if flags & 4 != 0 {
      guard bytes.count >= 12 else { return 0 }
      i = 12 + Int(bytes[10]) + Int(bytes[11]) << 8
    }
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      while i < bytes.count, bytes[i] != 0 { i += 1 }
      i += 1
    }
    if flags & 2 != 0 { i += 2 }
    if i <= bytes.count { return i }
    return bytes.count > limit ? nil : 0
  }
}
