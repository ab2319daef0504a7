internal import NIOCore

/// Where a proxy listens, where it forwards to, and how much it may use for that.
public struct ProxyConfiguration: Hashable, Sendable {
  /// Where to listen or to connect.
  public enum Address: Hashable, Sendable {
    /// Name or numeric address (IPv6 without brackets), and a port; 0 to listen on one that is free.
    case tcp(host: String, port: Int)
    /// Path of a Unix socket of at most `unixPathLimit` bytes.
    case unix(path: String)

    /// Bytes that the kernel has room for (`sun_path` with its NUL).
    public static let unixPathLimit = 107
  }

  /// One place to listen on, and where what arrives there goes.
  public struct Route: Hashable, Sendable {
    /// Where clients connect to.
    public var listen: Address
    /// Where their bytes go.
    public var upstream: Target
    /// What the Host fields of HTTP/1 requests are rewritten to; `nil` leaves every byte as it is, unread.
    public var upstreamHost: String?

    /// Describes a route to a server.
    public init(listen: Address, upstream: Address, upstreamHost: String? = nil) {
      self.listen = listen
      self.upstream = .address(upstream)
      self.upstreamHost = upstreamHost
    }

    /// Describes a route to wherever each client meant to go. `listen` is TCP.
    public init(listen: Address, interception: Interception, upstreamHost: String? = nil) {
      self.listen = listen
      self.upstream = .originalDestination(interception)
      self.upstreamHost = upstreamHost
    }
  }

  /// Where the bytes of a route's clients go.
  public enum Target: Hashable, Sendable {
    /// A server. Its name is resolved anew for every connection, and its addresses tried in turn.
    case address(Address)
    /// What the client dialled before the system brought its connection here.
    case originalDestination(Interception)
  }

  /// How the system brings connections here that were meant for others.
  public enum Interception: String, Hashable, Sendable {
    /// Destination NAT (nftables `redirect`, iptables `REDIRECT`): the kernel remembers the destination.
    case redirect
    /// `tproxy` rules: the accepted socket has the destination as its own address. Needs CAP_NET_ADMIN or CAP_NET_RAW.
    case tproxy
  }

  /// All routes of the process.
  public var routes: [Route]
  /// Threads that forward. Forwarding is cheap: one carries some 30,000 exchanges a second.
  public var eventLoops: Int

  /// Describes a proxy.
  public init(routes: [Route], eventLoops: Int = ProxyConfiguration.defaultEventLoops) {
    self.routes = routes
    self.eventLoops = max(1, eventLoops)
  }

  /// Two, or one on a machine with one core: the proxy is a guest where the agents or the server live.
  public static let defaultEventLoops = min(2, System.coreCount)
}

extension ProxyConfiguration.Address: CustomStringConvertible {
  /// `localhost:80`, `[::1]:80` or `unix:/run/mcp.sock`.
  public var description: String {
    switch self {
    case .tcp(let host, let port):
      host.utf8.contains(0x3a) ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  /// True when no traffic to it leaves the machine: a Unix socket, or a host that says so by its name.
  public var isLocal: Bool {
    switch self {
    case .tcp(let host, _): host == "localhost" || host.hasPrefix("127.") || host == "::1"
    case .unix: true
    }
  }
}

extension ProxyConfiguration.Target: CustomStringConvertible {
  /// The address, or what stands for it.
  public var description: String {
    switch self {
    case .address(let address): address.description
    case .originalDestination: "where each connection was meant to go"
    }
  }
}
