import Glibc
import Histogram
import NIOCore

/// How long bytes of answers lay in the kernel before this loop read them, on one connection in sixteen.
///
/// On those `SO_TIMESTAMPNS` is set, and before each read one byte is looked at (`MSG_PEEK`) for the kernel's stamp of the packet that
/// the read will return first. The stamps are of the wall clock; a step of it makes values that are left out. Confined to a loop.
final class ReadLag {
  /// One connection in so many is looked at.
  static let sampling = 16
  /// Longer than this is a step of the clock.
  private static let longest: Int64 = 60_000_000_000

  /// Microseconds.
  private(set) var histogram = Recorder.histogram()
  private var connections = 0

  /// Watches a connection that was just made, if its turn has come.
  func watch(_ channel: any Channel) throws {
    connections += 1
    guard connections % ReadLag.sampling == 1 else { return }
    let operations = channel.pipeline.syncOperations
    try operations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      guard ReadLag.stamp(descriptor) else { return }
      try channel.syncOptions?.setOption(
        .recvAllocator,
        value: PeekingAllocator(
          descriptor: descriptor, lag: NIOLoopBound(self, eventLoop: channel.eventLoop)))
    }
  }

  /// Looks at what the next read will return.
  fileprivate func look(_ descriptor: CInt) {
    guard let stamp = ReadLag.peek(descriptor) else { return }
    var now = timespec()
    // Only fills in the struct it is given.
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    let lag = Int64(now.tv_sec - stamp.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec - stamp.tv_nsec)
    guard lag >= 0, lag < ReadLag.longest else { return }
    histogram.record(UInt64(lag / 1000))
  }

  /// Asks the kernel for stamps; false where it has none.
  private static func stamp(_ descriptor: CInt) -> Bool {
    var isOn: CInt = 1
    // The option's value is the one int.
    return unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &isOn, socklen_t(MemoryLayout<CInt>.size)) == 0
  }

  /// The kernel's stamp of the first packet that waits to be read.
  private static func peek(_ descriptor: CInt) -> timespec? {
    var byte: UInt8 = 0
    // Room for one control message with a time: cmsghdr (16 bytes) and timespec (16 bytes).
    var control = InlineArray<8, UInt64>(repeating: 0)
    return unsafe withUnsafeMutableBytes(of: &byte) { byte in
      unsafe withUnsafeMutableBytes(of: &control) { control in
        var part = unsafe iovec(iov_base: byte.baseAddress, iov_len: 1)
        return unsafe withUnsafeMutablePointer(to: &part) { part in
          var header = unsafe msghdr()
          unsafe header.msg_iov = part
          unsafe header.msg_iovlen = 1
          unsafe header.msg_control = control.baseAddress
          unsafe header.msg_controllen = control.count
          guard unsafe recvmsg(descriptor, &header, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) == 1,
            unsafe header.msg_controllen >= 32
          else { return nil }
          let found = unsafe control.load(as: cmsghdr.self)
          // SCM_TIMESTAMPNS is the option's own number.
          guard found.cmsg_level == SOL_SOCKET, found.cmsg_type == SO_TIMESTAMPNS else {
            return nil
          }
          return unsafe control.load(fromByteOffset: 16, as: timespec.self)
        }
      }
    }
  }
}

/// NIO asks for a buffer right before it reads: that is when the socket is looked at.
private struct PeekingAllocator: RecvByteBufferAllocator {
  let descriptor: CInt
  let lag: NIOLoopBound<ReadLag>
  private let sizes = FixedSizeRecvByteBufferAllocator(capacity: Dialer.readSize)

  init(descriptor: CInt, lag: NIOLoopBound<ReadLag>) {
    self.descriptor = descriptor
    self.lag = lag
  }

  func nextBufferSize() -> Int? {
    lag.value.look(descriptor)
    return sizes.nextBufferSize()
  }

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { sizes.buffer(allocator: allocator) }

  func record(actualReadBytes: Int) -> Bool { false }
}
