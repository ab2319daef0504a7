internal import NIOCore

/// Socket settings of a proxy, chosen by measurement or for transparency.
enum Tuning {
  /// Bytes asked of the kernel in one read. A JSON-RPC message and its HTTP head are 1 to 4 KB; fixed 8 KiB
  /// cost 28.8 µs per request in a bare relay, 4 KiB 32.2 µs, and larger ones only pin more memory.
  static let receiveBuffer = 8 * 1024

  /// Reads before forwarding. One: bytes leave before more are fetched (4, NIO's default: 30.7 µs).
  static let readsPerWakeup: UInt = 1

  /// Bytes that may wait for a slow reader in user space; above the first number the other side is not read
  /// any more, below the second it is again. NIO's defaults; the kernel's buffers come on top.
  static let pendingWrites = ChannelOptions.Types.WriteBufferWaterMark(
    low: 32 * 1024, high: 64 * 1024)

  /// Connections that may wait to be accepted: a burst of agents that start together. The kernel caps it
  /// (`net.core.somaxconn`, 4096 by default).
  static let backlog: Int32 = 4096

  /// NIO's own limit on connecting, out of reach: how long a connect may take is for the kernel to say
  /// (about two minutes), as it would be without us.
  static let connectTimeout = TimeAmount.hours(24)

  /// Applies what both legs of a connection have in common; Unix sockets have no options of TCP.
  static func apply(to channel: any Channel, isTCP: Bool) throws {
    guard let options = channel.syncOptions else { return }
    try options.setOption(.autoRead, value: false)
    try options.setOption(.maxMessagesPerRead, value: readsPerWakeup)
    try options.setOption(
      .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: receiveBuffer))
    try options.setOption(.allowRemoteHalfClosure, value: true)
    try options.setOption(.writeBufferWaterMark, value: pendingWrites)
    if isTCP { try options.setOption(.tcpOption(.tcp_nodelay), value: 1) }
  }
}
