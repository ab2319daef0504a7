import Basics
import Glibc
import NIOCore
import NIOPosix

/// A `ScriptedServer` on a TCP port, with one event loop for all connections.
///
/// One loop, since all connections share the sessions; it carries many thousands of mostly idle ones.
public final class ServerSocket: Sendable {
  /// The port cannot be listened on.
  public struct BindError: Error, CustomStringConvertible {
    /// `host:port` as asked for.
    public let place: String
    /// What the system said.
    public let cause: String
    /// One sentence: what, where, why.
    public var description: String { "cannot listen on \(place): \(cause)" }
  }

  /// Connections that wait to be accepted: a burst of agents that start together.
  private static let backlog: Int32 = 4096

  /// The port that is listened on, also when 0 was asked for.
  public let port: Int
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  private let hub: NIOLoopBound<ServerHub>

  private init(
    port: Int, group: MultiThreadedEventLoopGroup, channel: any Channel,
    hub: NIOLoopBound<ServerHub>
  ) {
    self.port = port
    self.group = group
    self.channel = channel
    self.hub = hub
  }

  /// Listens on `host:port` (port 0 is any free one) and serves until `stop`.
  ///
  /// - Throws: `BindError`.
  public static func listen(
    host: String, port: Int, server: ScriptedServer
  ) async throws -> ServerSocket {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    let hub = try await loop.submit { NIOLoopBound(ServerHub(server), eventLoop: loop) }.get()
    do {
      let channel = try await ServerBootstrap(group: loop)
        .serverChannelOption(.backlog, value: backlog)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let handler = ScriptedConnectionHandler(hub.value)
            try channel.pipeline.syncOperations.addHandler(handler)
          }
        }
        .bind(host: host, port: port).get()
      return ServerSocket(
        port: channel.localAddress?.port ?? port, group: group, channel: channel, hub: hub)
    } catch {
      try await group.shutdownGracefully()
      let cause =
        (error as? IOError).map { unsafe String(cString: strerror($0.errnoCode)) }
        ?? String(describing: error)
      throw BindError(place: "\(host):\(port)", cause: cause)
    }
  }

  /// What has been seen and done so far.
  public func counts() async throws -> ServerCounts {
    let hub = hub
    return try await channel.eventLoop.submit { hub.value.server.counts }.get()
  }

  /// Closes the port and all connections.
  public func stop() async throws -> ServerCounts {
    let counts = try await counts()
    try await channel.close()
    try await group.shutdownGracefully()
    return counts
  }
}

/// The server and who waits for it; confined to the loop.
final class ServerHub {
  var server: ScriptedServer
  private var owners: [ExchangeID: ScriptedConnectionHandler] = [:]

  init(_ server: ScriptedServer) { self.server = server }

  func own(_ id: ExchangeID, by handler: ScriptedConnectionHandler) { owners[id] = handler }
  func disown(_ id: ExchangeID) { owners[id] = nil }

  /// Lets other connections write what a request on this one caused.
  func wake(_ ids: [ExchangeID]) {
    for id in ids { owners[id]?.advance() }
  }
}
