import Basics
import Foundation
import Glibc
import NIOCore
import Proxy
import TestKit
import Testing

@Suite(.timeLimit(.minutes(5)))
struct `Routes of a proxy` {
  @Test func `lead each to its own upstream, IPv4 and IPv6`() async throws {
    let (first, second) = (try await Listener.open(), try await Listener.open(host: "::1"))
    try await Self.run([
      .init(
        listen: .tcp(host: "::1", port: 0),
        upstream: .tcp(host: "127.0.0.1", port: first.address.port)),
      .init(
        listen: .tcp(host: "127.0.0.1", port: 0),
        upstream: .tcp(host: "::1", port: second.address.port)),
    ]) { bound, tap in
      #expect(bound.map(\.host) == ["::1", "127.0.0.1"])
      for (number, upstream) in [first, second].enumerated() {
        let client = try await Peer.dial(bound[number])
        try await Self.converse(client, try await upstream.connection(), "route \(number)")
        let flow = try await tap.finished(number + 1)
        #expect(
          flow.ends
            == FlowEnds(client: client.address, server: bound[number], upstream: upstream.address))
        #expect(
          flow.bytes == [
            .c2s: ByteBuffer(string: "to route \(number)"),
            .s2c: ByteBuffer(string: "from route \(number)"),
          ])
      }
    }
  }

  @Test func `run between Unix sockets, whose files go with them`() async throws {
    try await Self.withFolder { folder in
      let upstream = try await Listener.open(path: folder + "/up.sock")
      let path = folder + "/down.sock"
      try await Self.run([
        .init(listen: .unix(path: path), upstream: .unix(path: folder + "/up.sock"))
      ]) {
        bound, tap in
        #expect(bound.map(\.description) == ["unix:\(path)"])
        let client = try await Peer.dial(bound[0])
        try await Self.converse(client, try await upstream.connection(), "unix")
        let flow = try await tap.finished(1)
        #expect(flow.ends.server.description == "unix:\(path)")
        #expect(flow.ends.upstream?.description == "unix:\(folder)/up.sock")
        #expect(flow.endings == [.c2s: .fin, .s2c: .fin])
        #expect(Self.exists(path))
      }
      #expect(!Self.exists(path))
    }
  }

  @Test func `take over a socket file that nobody listens on`() async throws {
    try await Self.withFolder { folder in
      let path = folder + "/stale.sock"
      try Self.leaveSocket(at: path)
      #expect(Self.exists(path))
      let upstream = try await Listener.open()
      try await Self.run([
        .init(
          listen: .unix(path: path), upstream: .tcp(host: "127.0.0.1", port: upstream.address.port))
      ]) { bound, _ in
        let client = try await Peer.dial(bound[0])
        try await Self.converse(client, try await upstream.connection(), "again")
      }
    }
  }

  @Test func `leave alone a socket that answers and a file that is none`() async throws {
    try await Self.withFolder { folder in
      let path = folder + "/live.sock"
      let live = try await Listener.open(path: path)
      let file = folder + "/file"
      close(unsafe open(file, O_CREAT | O_WRONLY, 0o600))
      for taken in [path, file] {
        let proxy = Self.proxy([.init(listen: .unix(path: taken), upstream: .unix(path: taken))])
        let error = try await #require(throws: ProxyError.self) { try await proxy.start() }
        #expect(error.description == "cannot listen on unix:\(taken): Address already in use")
        #expect(Self.exists(taken))
      }
      try await live.close()
    }
  }

  @Test func `listen on all of them or on none`() async throws {
    try await Self.withFolder { folder in
      let taken = try await Listener.open()
      let path = folder + "/first.sock"
      let proxy = Self.proxy([
        .init(listen: .unix(path: path), upstream: .unix(path: "/nowhere")),
        .init(
          listen: .tcp(host: "127.0.0.1", port: taken.address.port),
          upstream: .unix(path: "/nowhere")),
      ])
      let error = try await #require(throws: ProxyError.self) { try await proxy.start() }
      #expect(error.where == "\(taken.address)")
      #expect(!Self.exists(path))
      try await taken.close()
    }
  }

  @Test func `rewrite the Host field for the upstream, not in the recording`() async throws {
    let upstream = try await Listener.open()
    try await Self.run([
      .init(
        listen: .tcp(host: "127.0.0.1", port: 0),
        upstream: .tcp(host: "127.0.0.1", port: upstream.address.port), upstreamHost: "mcp.example")
    ]) { bound, tap in
      let client = try await Peer.dial(bound[0])
      let server = try await upstream.connection()
      let (before, after) = (
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /cut",
        "GET / HTTP/1.1\r\nHost: mcp.example\r\n\r\nGET /cut"
      )
      try await client.send(ByteBuffer(string: before))
      try await client.finish()
      #expect(try await server.ending().bytes == ByteBuffer(string: after))
      try await server.finish()
      #expect(try await tap.finished(1).bytes[.c2s] == ByteBuffer(string: before))
    }
  }

  @Test func `refuse a connection that was not redirected to them`() async throws {
    let handoff = Handoff()
    let notices = Watched<[ProxyNotice]>([])
    let proxy = ProxyServer(
      configuration: ProxyConfiguration(routes: [
        .init(listen: .tcp(host: "127.0.0.1", port: 0), interception: .redirect)
      ]), handoff: handoff
    ) { notice in notices.update { $0.append(notice) } }
    let bound = try await proxy.start()[0]
    let tap = TapLog(handoff)
    #expect(try await Peer.endingOfDial(bound) == .reset)
    let flow = try await tap.finished(1)
    #expect(flow.ends.server == bound)
    #expect(flow.ends.upstream == nil)
    guard case .upstreamUnreachable(_, let upstream, let cause)? = notices.value.first else {
      Issue.record("\(notices.value)")
      return
    }
    #expect(upstream == "\(bound)")
    // It depends on whether the kernel watches connections at all.
    #expect(cause.contains("leads back") || cause.contains("no original destination"))
    await proxy.drain(grace: .zero)
    handoff.close()
    try await tap.isOver.wait { $0 }
  }

  /// Both say something, and end.
  private static func converse(_ client: Peer, _ server: Peer, _ text: String) async throws {
    try await client.send(ByteBuffer(string: "to \(text)"))
    try await client.finish()
    #expect(try await server.ending().bytes == ByteBuffer(string: "to \(text)"))
    try await server.send(ByteBuffer(string: "from \(text)"))
    try await server.finish()
    #expect(try await client.ending().bytes == ByteBuffer(string: "from \(text)"))
  }

  private static func proxy(_ routes: [ProxyConfiguration.Route]) -> ProxyServer {
    ProxyServer(configuration: ProxyConfiguration(routes: routes), handoff: Handoff()) { _ in }
  }

  private static func run(
    _ routes: [ProxyConfiguration.Route], _ body: ([Endpoint], TapLog) async throws -> Void
  ) async throws {
    let handoff = Handoff()
    let proxy = ProxyServer(
      configuration: ProxyConfiguration(routes: routes), handoff: handoff
    ) { Issue.record("\($0)") }
    let bound = try await proxy.start()
    let tap = TapLog(handoff)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(bound, tap))
    } catch {
      outcome = .failure(error)
    }
    await proxy.drain(grace: .zero)
    handoff.close()
    try outcome.get()
    try await tap.isOver.wait { $0 }
  }

  /// What is left of a socket whose process ended: its file.
  private static func leaveSocket(at path: String) throws {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let address = try SocketAddress(unixDomainSocketPath: path)
    let outcome = unsafe address.withSockAddr { unsafe bind(number, $0, socklen_t($1)) }
    close(number)
    try #require(outcome == 0)
  }

  private static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Runs `body` with a folder that is empty, and empties and removes it.
  private static func withFolder(_ body: (String) async throws -> Void) async throws {
    // Short, as the names of sockets are.
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("routes-\(UInt32.random(in: 0 ... .max))").path
    try #require(unsafe mkdir(folder, 0o700) == 0)
    defer {
      for name in ["up", "down", "stale", "live", "first"] {
        _ = unsafe unlink("\(folder)/\(name).sock")
      }
      _ = unsafe unlink(folder + "/file")
      _ = unsafe rmdir(folder)
    }
    try await body(folder)
  }
}
