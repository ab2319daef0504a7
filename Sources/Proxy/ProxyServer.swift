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
    var listeners: [any Channel] = []
    var isDraining = false
  }

  private let configuration: ProxyConfiguration
  private let handoff: Handoff
  private let connections = OpenConnections()
  private let notify: @Sendable (ProxyNotice) -> Void
  private let group: MultiThreadedEventLoopGroup
  private let loops = LoopGuard()
  private let lifetime = Mutex(Lifetime())

  /// Prepares a proxy; its threads start here.
  ///
  /// `notify` is called on event loops and must return at once.
  public init(
    configuration: ProxyConfiguration, handoff: Handoff,
    notify: @escaping @Sendable (ProxyNotice) -> Void
  ) {
    self.configuration = configuration
    self.handoff = handoff
    self.notify = notify
    group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
  }

  /// What has happened so far.
  public var counts: ProxyCounts { connections.counts }

  /// Listens, and returns the addresses that were bound, in the order of the routes. The upstreams need not be there yet.
  /// - Throws: `ProxyError` when one of them cannot be bound; the proxy is of no use then, and listens nowhere.
  public func start() async throws -> [Endpoint] {
    var bound: [Endpoint] = []
    for route in configuration.routes {
      do {
        let listener = try await listen(on: route)
        bound.append(Endpoint(listener.localAddress))
        lifetime.withLock { $0.listeners.append(listener) }
      } catch {
        await drain(grace: .zero)
        // The system's words; NIO's have the call's name and an errno around them.
        var words = (error as? IOError).map { unsafe String(cString: strerror($0.errnoCode)) }
        if route.upstream == .originalDestination(.tproxy), (error as? IOError)?.errnoCode == EPERM
        {
          words = "accepting for other addresses needs CAP_NET_ADMIN or CAP_NET_RAW"
        }
        throw ProxyError(what: "listen on", where: "\(route.listen)", cause: words ?? "\(error)")
      }
    }
    return bound
  }

  private func listen(on route: ProxyConfiguration.Route) async throws -> any Channel {
    let site = site(of: route)
    var bootstrap = ServerBootstrap(group: group)
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
    let listener: any Channel
    switch route.listen {
    case .tcp(let host, let port):
      if case .originalDestination(let interception) = route.upstream,
        let option = interception.listenerOption(isIPv6: host.utf8.contains(0x3a))
      {
        bootstrap = bootstrap.serverChannelOption(option, value: 1)
      }
      listener = try await bootstrap.bind(host: host, port: port).get()
    case .unix(let path):
      await UnixSocketFile.removeStale(path, on: group)
      listener = try await bootstrap.bind(unixDomainSocketPath: path).get()
    }
    let bound = Endpoint(listener.localAddress)
    loops.listens(on: bound.port)
    listener.closeFuture.whenComplete { [weak self] _ in
      guard let self, !lifetime.withLock({ $0.isDraining }) else { return }
      notify(.listenerLost(address: bound, cause: "the listening socket was closed"))
    }
    return listener
  }

  private func site(of route: ProxyConfiguration.Route) -> ProxySite {
    let listensOnTCP = if case .tcp = route.listen { true } else { false }
    let target: ProxySite.Target =
      switch route.upstream {
      case .address(let address): .fixed(Upstream(address))
      case .originalDestination(let interception): .intercepted(interception, loops)
      }
    return ProxySite(
      target: target, listensOnTCP: listensOnTCP,
      upstreamHost: route.upstreamHost, handoff: handoff, clock: .shared,
      connections: connections, notify: notify)
  }

  /// Stops accepting, waits up to `grace` for open connections to end, resets those that have not.
  ///
  /// Called again, it resets what is left at once, which ends the wait of the first call.
  /// - Returns: how many connections this call reset.
  @discardableResult
  public func drain(grace: Duration) async -> Int {
    let (listeners, isFirst) = lifetime.withLock { lifetime in
      defer { lifetime.isDraining = true }
      return (lifetime.listeners, !lifetime.isDraining)
    }
    guard isFirst else { return connections.cutAll() }
    connections.refuse()
    for listener in listeners { await Self.close(listener) }
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
