internal import Basics
internal import Glibc
internal import NIOCore

/// Why an intercepted connection is not forwarded.
enum InterceptionError: Error, CustomStringConvertible {
  case noDestination(String)
  case leadsBack
  case clientGone

  var description: String {
    switch self {
    case .noDestination(let why): "the system has no original destination of it: \(why)"
    case .clientGone: "it was reset at once"
    case .leadsBack:
      "the connection leads back to this proxy; it was made to it directly, or its own connections are redirected too"
    }
  }
}

extension ProxyConfiguration.Interception {
  /// `IP6T_SO_ORIGINAL_DST` of linux/netfilter_ipv6/ip6_tables.h, the same number as `SO_ORIGINAL_DST`.
  private static let originalDestination = NIOBSDSocket.Option(rawValue: 80)

  /// What the client of a channel dialled, the channel being active and this its loop.
  func destination(of channel: any Channel) throws(InterceptionError) -> Endpoint {
    let own = Endpoint(channel.localAddress)
    guard !own.host.isEmpty else { throw .clientGone }
    guard self == .redirect else { return own }
    guard let options = channel as? any SocketOptionProvider else {
      throw .noDestination("not a socket")
    }
    // An IPv4 connection that an IPv6 socket accepted is one of IPv4 to the kernel's tables, and to `Endpoint`.
    if own.host.utf8.contains(0x3a) {
      let name: EventLoopFuture<sockaddr_in6> = options.unsafeGetSocketOption(
        level: .ipv6, name: Self.originalDestination)
      return try Self.endpoint(name) { SocketAddress($0) }
    }
    let name: EventLoopFuture<sockaddr_in> = options.unsafeGetSocketOption(
      level: .ip, name: Self.originalDestination)
    return try Self.endpoint(name) { SocketAddress($0) }
  }

  /// On a channel's loop its options are answered at once.
  private static func endpoint<Name>(
    _ name: EventLoopFuture<Name>, _ address: (Name) -> SocketAddress
  ) throws(InterceptionError) -> Endpoint {
    var answer: Result<Name, any Error>?
    name.assumeIsolated().whenComplete { answer = $0 }
    switch answer {
    case .success(let name): return Endpoint(address(name))
    case .failure(let error): throw .noDestination("\(error)")
    case nil: throw .noDestination("the socket does not answer")
    }
  }

  /// Options of a listening socket.
  func listenerOption(isIPv6: Bool) -> ChannelOptions.Types.SocketOption? {
    guard self == .tproxy else { return nil }
    // IPV6_TRANSPARENT of linux/in6.h.
    return isIPv6
      ? ChannelOptions.Types.SocketOption(
        level: .ipv6, name: NIOBSDSocket.Option(rawValue: 75))
      : ChannelOptions.Types.SocketOption(
        level: .ip, name: NIOBSDSocket.Option(rawValue: IP_TRANSPARENT))
  }
}
