import Basics
import NIOCore
import Proxy
import Testing

@Suite(.timeLimit(.minutes(5)))
struct `Proxy server` {
  @Test func `names the port that is in use`() async throws {
    let taken = try await Listener.open()
    let proxy = ProxyServer(
      configuration: ProxyConfiguration(
        routes: [
          .init(
            listen: .tcp(host: "127.0.0.1", port: taken.address.port),
            upstream: .tcp(host: "127.0.0.1", port: 1))
        ]),
      handoff: Handoff()
    ) { _ in }
    let error = try await #require(throws: ProxyError.self) { try await proxy.start() }
    #expect(error.where == "\(taken.address)")
    #expect(error.description.hasPrefix("cannot listen on \(taken.address): "))
    #expect(error.cause.contains("Address already in use"))
    try await taken.close()
  }

  @Test func `names the host that it cannot listen on`() async throws {
    let proxy = ProxyServer(
      configuration: ProxyConfiguration(
        routes: [
          .init(
            listen: .tcp(host: "no such host", port: 80), upstream: .tcp(host: "::1", port: 1))
        ]),
      handoff: Handoff()
    ) { _ in }
    let error = try await #require(throws: ProxyError.self) { try await proxy.start() }
    #expect(error.where == "no such host:80")
  }

  @Test func `resets the client when the upstream refuses, and goes on`() async throws {
    try await Stage.run { stage in
      try await stage.upstream.close()
      #expect(try await Peer.endingOfDial(stage.address) == .reset)
      let flow = try await stage.tap.finished(1)
      #expect(flow.ends.upstream == nil)
      #expect(flow.endings == [.c2s: .reset, .s2c: .reset])
      let notices = try await stage.notices.wait { !$0.isEmpty }
      guard case .upstreamUnreachable(let source, let upstream, let cause) = notices[0] else {
        Issue.record("\(notices)")
        return
      }
      #expect(source == flow.ends.client)
      #expect(upstream == "\(stage.upstream.address)")
      #expect(cause.contains("Connection refused"))
      #expect(stage.proxy.counts.upstreamFailures == 1)

      let back = try await Listener.open(port: stage.upstream.address.port)
      let client = try await Peer.dial(stage.address)
      try await client.send(ByteBuffer(string: "again"))
      #expect(try await back.connection().received(5) == ByteBuffer(string: "again"))
      try await client.finish()
      try await back.connection().finish()
      #expect(try await stage.tap.finished(2).endings == [.c2s: .fin, .s2c: .fin])
      try await back.close()
    }
  }

  @Test func `resets the client when the upstream's name does not resolve`() async throws {
    try await Stage.run(upstreamHost: "nowhere.invalid") { stage in
      #expect(try await Peer.endingOfDial(stage.address) == .reset)
      #expect(try await stage.tap.finished(1).endings == [.c2s: .reset, .s2c: .reset])
      let text = try await stage.notices.wait { !$0.isEmpty }[0].description
      #expect(text.hasPrefix("cannot connect to upstream nowhere.invalid:"))
    }
  }

  @Test func `drains: refuses new connections, lets open ones finish`() async throws {
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      async let cut = stage.proxy.drain(grace: .seconds(60))
      await refusal(by: stage)
      try await client.send(ByteBuffer(string: "last words"))
      try await client.finish()
      let heard = try await server.ending()
      #expect(heard.ending == .fin)
      #expect(heard.bytes == ByteBuffer(string: "last words"))
      try await server.finish()
      #expect(try await client.ending().ending == .fin)
      #expect(await cut == 0)
      #expect(try await stage.tap.finished(1).endings == [.c2s: .fin, .s2c: .fin])
    }
  }

  @Test func `resets what is still open after the grace`() async throws {
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      #expect(await stage.proxy.drain(grace: .milliseconds(1)) == 1)
      #expect(try await client.ending().ending == .reset)
      #expect(try await server.ending().ending == .reset)
      #expect(try await stage.tap.finished(1).endings == [.c2s: .captureEnd, .s2c: .captureEnd])
    }
  }

  @Test func `ends the grace early when told a second time`() async throws {
    try await Stage.run { stage in
      let (client, _) = try await stage.connect()
      async let first = stage.proxy.drain(grace: .seconds(3600))
      await refusal(by: stage)
      #expect(await stage.proxy.drain(grace: .zero) == 1)
      #expect(await first == 0)
      #expect(try await client.ending().ending == .reset)
    }
  }

  @Test func `stamps with wall time that does not run backwards`() {
    let clock = TapClock.shared
    var last = clock.now()
    #expect(last > Timestamp(nanoseconds: 1_700_000_000_000_000_000))
    for _ in 0..<1000 {
      let now = clock.now()
      #expect(now >= last)
      last = now
    }
  }

  /// Dials until nobody listens any more, and waits until the proxy is rid of those dials.
  private func refusal(by stage: Stage) async {
    var isRefused = false
    while !isRefused {
      do {
        let peer = try await Peer.dial(stage.address)
        try await peer.reset()
      } catch {
        isRefused = true
      }
    }
    while stage.proxy.counts.open > 1 { await Task.yield() }
  }
}
