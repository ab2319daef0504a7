public import Basics
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A TCP proxy that forwards every byte verbatim, both ways, and hands a copy to a `Handoff`.
///
/// It adds no byte, no retry and no time limit. Each client connection has its own upstream connection; both
/// live on one event loop. What one side does (FIN, RST, not reading) the other side sees.
///
/// Life: `start()` once, then `drain(grace:)`; afterwards nothing is offered to the handoff any more.
public final class ProxyServer: Sendable {
  private struct Lifetime {
    var listener: (any Channel)?
    var isDraining = false
  }

  private let configuration: ProxyConfiguration
  private let site: ProxySite
  private let group: MultiThreadedEventLoopGroup
  private let lifetime = Mutex(Lifetime())

  /// Prepares a proxy; its threads start here.
  ///
  /// `notify` is called on event loops and must return at once.
  public init(
    configuration: ProxyConfiguration, handoff: Handoff,
    notify: @escaping @Sendable (ProxyNotice) -> Void
  ) {
    self.configuration = configuration
    site = ProxySite(
      upstream: Upstream(configuration.upstream), handoff: handoff, clock: .shared,
      connections: OpenConnections(), notify: notify)
    group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
  }

  /// What has happened so far.
  public var counts: ProxyCounts { site.connections.counts }

  /// Listens, and returns the address that was bound. The upstream need not be there yet.
  /// - Throws: `ProxyError` when the address cannot be bound; the proxy is of no use then.
  public func start() async throws -> Endpoint {
    let site = site
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: Tuning.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptPause(notify: site.notify))
        }
      }
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try Relay.install(on: channel, site: site) }
      }
    let address = configuration.listen
    let listener: any Channel
    do {
      listener = try await bootstrap.bind(host: address.host, port: address.port).get()
    } catch {
      await stopLoops()
      // The system's words; NIO's have the call's name and an errno around them.
      let words = (error as? IOError).map { unsafe String(cString: strerror($0.errnoCode)) }
      throw ProxyError(what: "listen on", where: "\(address)", cause: words ?? "\(error)")
    }
    let bound = Endpoint(listener.localAddress)
    lifetime.withLock { $0.listener = listener }
    listener.closeFuture.whenComplete { [weak self] _ in
      guard let self, !lifetime.withLock({ $0.isDraining }) else { return }
      site.notify(.listenerLost(address: bound, cause: "the listening socket was closed"))
    }
    return bound
  }

  /// Stops accepting, waits up to `grace` for open connections to end, resets those that have not.
  ///
  /// Called again, it resets what is left at once, which ends the wait of the first call.
  /// - Returns: how many connections this call reset.
  @discardableResult
  public func drain(grace: Duration) async -> Int {
    let (listener, isFirst) = lifetime.withLock { lifetime in
      defer { lifetime.isDraining = true }
      return (lifetime.listener, !lifetime.isDraining)
    }
    let connections = site.connections
    guard isFirst else { return connections.cutAll() }
    connections.refuse()
    if let listener { await Self.close(listener) }
    if grace > .zero {
      await connections.waitUntilEmpty(limit: TimeAmount(grace), on: group.any())
    }
    let cut = connections.cutAll()
    await connections.waitUntilEmpty(limit: nil, on: group.any())
    await stopLoops()
    return cut
  }

  private static func close(_ listener: any Channel) async {
    await withCheckedContinuation { continuation in
      listener.closeFuture.whenComplete { _ in continuation.resume() }
      listener.close(promise: nil)
    }
  }

  private func stopLoops() async {
    await withCheckedContinuation { continuation in
      // The loops are ours and stopped once, which is all that could fail.
      group.shutdownGracefully { _ in continuation.resume() }
    }
  }
}
