import CZlib
import NIOCore

/// Inflates a gzip file (RFC 1952): one member or several, into a buffer of the caller's size.
///
/// Theory: what comes out is bounded by the room given, never by what the file says, so a file that would inflate to
/// terabytes costs time but no memory. Zeros behind a member are padding; other bytes there are not gzip's and ignored,
/// as gunzip does.
@safe
final class GzipMembers {
  /// True between the first byte of a member and its end.
  private(set) var isInside = false
  /// Bytes behind the last member that are neither padding nor a member.
  private(set) var trailing = 0

  // Proof of safety: initialised in `init`, at one address all its life, freed in `deinit`; the pointers into buffers
  // that zlib is given do not outlive the call.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isBehindMember = false

  /// A gzip wrapper alone, with the largest window.
  private static let window: Int32 = 15 + 16

  init() {
    unsafe stream = UnsafeMutablePointer.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    let status = unsafe inflateInit2_(stream, GzipMembers.window, ZLIB_VERSION, size)
    precondition(status == Z_OK, "zlib needs memory to begin")
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Inflates what fits into `out`'s `room`; takes what it used from `input`. Returns bytes written.
  func inflate(
    _ input: inout ByteBuffer, into out: inout ByteBuffer, room: Int
  ) throws(Flaw) -> Int {
    while true {
      if !isInside {
        guard input.readableBytes > 0 else { return 0 }
        guard beginMember(&input) else { continue }
      }
      var status = Z_OK
      var used = 0
      let written = unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        unsafe input.withUnsafeReadableBytes { bytes in
          unsafe run(bytes, space, room, &status, &used)
        }
      }
      input.moveReaderIndex(forwardBy: used)
      if status == Z_STREAM_END {
        isInside = false
        isBehindMember = true
      }
      // What came before an error is good; the error is met again at the next call.
      if written > 0 { return written }
      switch status {
      case Z_STREAM_END: continue
      case Z_OK, Z_BUF_ERROR: if input.readableBytes == 0 { return 0 }
      default:
        throw Flaw(
          .corruptContainer, unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "")
      }
    }
  }

  private func run(
    _ bytes: UnsafeRawBufferPointer, _ space: UnsafeMutableRawBufferPointer, _ room: Int,
    _ status: inout Int32, _ used: inout Int
  ) -> Int {
    // zlib does not write to its input; its header lacks the `const`.
    let first = unsafe bytes.bindMemory(to: UInt8.self).baseAddress
    unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: first)
    unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
    unsafe stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
    unsafe stream.pointee.avail_out = UInt32(room)
    status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
    used = unsafe min(bytes.count, Int(UInt32.max)) - Int(stream.pointee.avail_in)
    unsafe stream.pointee.next_in = nil
    unsafe stream.pointee.next_out = nil
    return unsafe room - Int(stream.pointee.avail_out)
  }

  /// Begins a member, or passes over what is behind the last one; false when there is nothing to inflate here.
  private func beginMember(_ input: inout ByteBuffer) -> Bool {
    guard isBehindMember else {
      isInside = true
      return true
    }
    if trailing == 0, let first: UInt8 = input.getInteger(at: input.readerIndex) {
      if first == 0x1f, unsafe inflateReset(stream) == Z_OK {
        isInside = true
        return true
      }
      if first == 0 {
        input.moveReaderIndex(forwardBy: 1)
        return false
      }
    }
    trailing += input.readableBytes
    input.moveReaderIndex(to: input.writerIndex)
    return false
  }
}
