internal import Basics
internal import NIOCore
internal import NIOPosix

/// A server that the bytes of clients go to.
struct Upstream: Sendable, CustomStringConvertible {
  private enum Target {
    case address(SocketAddress)
    case name(String, port: Int)
    case path(String)
  }

  private let configured: ProxyConfiguration.Address
  private let target: Target

  /// A numeric address is read once; a name stays one, to be resolved for each connection.
  init(_ configured: ProxyConfiguration.Address) {
    self.configured = configured
    switch configured {
    case .unix(let path): target = .path(path)
    case .tcp(let host, let port):
      do {
        target = .address(try SocketAddress(ipAddress: host, port: port))
      } catch {
        // The only error is "not a numeric address".
        target = .name(host, port: port)
      }
    }
  }

  /// The server that a client dialled.
  init(_ destination: Endpoint) {
    self.init(.tcp(host: destination.host, port: destination.port))
  }

  var description: String { configured.description }

  var isTCP: Bool {
    if case .path = target { false } else { true }
  }

  /// Connects on `loop`. `initialize` runs for each address that is tried, before its channel can be read.
  ///
  /// The addresses of a name are tried in turn, as RFC 8305 says: the next one when one refuses, or has not answered for
  /// a quarter of a second; the first that is connected wins.
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
    case .name(let host, let port): return bootstrap.connect(host: host, port: port)
    case .path(let path): return bootstrap.connect(unixDomainSocketPath: path)
    }
  }
}
