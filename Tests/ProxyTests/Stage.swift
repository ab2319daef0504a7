import Basics
import NIOCore
import Proxy

/// A proxy between a `Listener` and whoever dials `address`.
struct Stage: Sendable {
  let upstream: Listener
  let proxy: ProxyServer
  let address: Endpoint
  let tap: TapLog
  let handoff: Handoff
  let notices: Watched<[ProxyNotice]>

  /// Runs `body` with a proxy, then stops it and waits until the tap has been read to its end.
  static func run(
    upstreamIsReading: Bool = true, eventLoops: Int = 2, upstreamHost: String = "127.0.0.1",
    _ body: (Stage) async throws -> Void
  ) async throws {
    let upstream = try await Listener.open(isReading: upstreamIsReading)
    let handoff = Handoff()
    let notices = Watched<[ProxyNotice]>([])
    let proxy = ProxyServer(
      configuration: ProxyConfiguration(
        routes: [
          .init(
            listen: .tcp(host: "127.0.0.1", port: 0),
            upstream: .tcp(host: upstreamHost, port: upstream.address.port))
        ], eventLoops: eventLoops),
      handoff: handoff
    ) { notice in notices.update { $0.append(notice) } }
    let address = try await proxy.start()[0]
    let stage = Stage(
      upstream: upstream, proxy: proxy, address: address, tap: TapLog(handoff), handoff: handoff,
      notices: notices)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(stage))
    } catch {
      outcome = .failure(error)
    }
    await proxy.drain(grace: .zero)
    handoff.close()
    if upstream.channel.isActive { try await upstream.close() }
    try outcome.get()
    try await stage.tap.isOver.wait { $0 }
  }

  /// Dials the proxy and waits for the upstream side of the connection, the `index`th from 0, and until
  /// the tap has seen it as the flow numbered `index + 1`.
  func connect(_ index: Int = 0, isReading: Bool = true) async throws -> (Peer, Peer) {
    let client = try await Peer.dial(address, isReading: isReading)
    let server = try await upstream.connection(index)
    try await tap.flows.wait { $0[FlowID(index + 1)] != nil }
    return (client, server)
  }
}
