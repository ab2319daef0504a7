internal import NIOCore
internal import NIOPosix

/// Where the bytes of clients go.
struct Upstream: Sendable, CustomStringConvertible {
  private enum Target {
    case address(SocketAddress)
    case name
  }

  private let configured: ProxyConfiguration.Address
  private let target: Target

  /// A numeric address is read once; a name stays one, to be resolved for each connection.
  init(_ configured: ProxyConfiguration.Address) {
    self.configured = configured
    do {
      target = .address(try SocketAddress(ipAddress: configured.host, port: configured.port))
    } catch {
      // The only error is "not a numeric address".
      target = .name
    }
  }

  var description: String { configured.description }

  /// Connects on `loop`. `initialize` runs for each address that is tried, before its channel can be read.
  func connect(
    on loop: any EventLoop, initialize: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<any Channel> {
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(Tuning.connectTimeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try initialize(channel) }
      }
    switch target {
    case .address(let address): return bootstrap.connect(to: address)
    case .name: return bootstrap.connect(host: configured.host, port: configured.port)
    }
  }
}
