internal import NIOCore

/// Where a proxy listens, where it forwards to, and how much it may use for that.
public struct ProxyConfiguration: Hashable, Sendable {
  /// A host (name or numeric address without brackets) and a port.
  public struct Address: Hashable, Sendable {
    /// Name or numeric address, IPv6 without brackets.
    public var host: String
    /// TCP port; 0 to listen on one that is free.
    public var port: Int

    /// Describes an address.
    public init(host: String, port: Int) {
      self.host = host
      self.port = port
    }
  }

  /// Where clients connect to.
  public var listen: Address
  /// Where their bytes go. A name is resolved anew for every connection, and its addresses tried in turn.
  public var upstream: Address
  /// Threads that forward. Forwarding is cheap: one carries some 30,000 exchanges a second.
  public var eventLoops: Int

  /// Describes a proxy.
  public init(
    listen: Address, upstream: Address, eventLoops: Int = ProxyConfiguration.defaultEventLoops
  ) {
    self.listen = listen
    self.upstream = upstream
    self.eventLoops = max(1, eventLoops)
  }

  /// Two, or one on a machine with one core: the proxy is a guest where the agents or the server live.
  public static let defaultEventLoops = min(2, System.coreCount)
}

extension ProxyConfiguration.Address: CustomStringConvertible {
  /// `localhost:80` or `[::1]:80`.
  public var description: String {
    host.utf8.contains(0x3a) ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

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

  /// Applies what both legs of a connection have in common.
  static func apply(to channel: any Channel) throws {
    guard let options = channel.syncOptions else { return }
    try options.setOption(.autoRead, value: false)
    try options.setOption(.maxMessagesPerRead, value: readsPerWakeup)
    try options.setOption(
      .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: receiveBuffer))
    try options.setOption(.allowRemoteHalfClosure, value: true)
    try options.setOption(.writeBufferWaterMark, value: pendingWrites)
    try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
  }
}
