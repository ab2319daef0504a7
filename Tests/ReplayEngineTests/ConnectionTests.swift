import Basics
import NIOCore
import ReplayEngine
import ReplayPlan
import TestKit
import Testing
import Trace

private let fine = #""result":{"content":[]}"#

/// Which connections carry what, and what agents do when they break.
@Suite(.timeLimit(.minutes(5)))
struct Connections {
  /// Calls one after the other on the recorded connections `conns`.
  private static func traffic(_ conns: [Int], sessions: Int = 1) -> RecordedTraffic {
    var builder = ScriptBuilder()
    for session in 0..<sessions {
      var lines = SessionLines("s\(session + 1)", start: 0)
      let base = session * 100
      let hello = lines.request(
        "initialize", t: 0,
        params:
          #"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}"#
      ) { $0.conn = base + conns[0] }
      var last = [lines.answer(hello, t: 1_000_000)]
      for (i, conn) in conns.enumerated() {
        let t = Int64(i + 1) * 5_000_000
        let call = lines.call("work", t: t, turn: i + 1, after: last) { $0.conn = base + conn }
        last = [lines.answer(call, t: t + 1_000_000)]
      }
      lines.end(t: 200_000_000)
      for event in lines.events { builder.add(event) }
    }
    return builder.finish()
  }

  private static func connections(
    _ traffic: RecordedTraffic, _ mode: ConnectionMode, times: Double = 1
  ) async throws -> [[String]] {
    let server = try await Load.server { _ in .json(fine) }
    let summary = try await Load.run(traffic, port: server.port) {
      $0.count = .multiply(times)
    } run: {
      $0.connect.mode = mode
    }
    #expect(summary.outcomes == [.ok: summary.plan.calls])
    var byConnection: [Int: [String]] = [:]
    for request in server.requests {
      byConnection[request.connection, default: []].append(request.body["method"]?.string ?? "")
    }
    try await server.kill()
    return byConnection.keys.sorted().map { byConnection[$0, default: []] }
  }

  @Test func `recorded: each request goes where its counterpart went`() async throws {
    let used = try await Self.connections(Self.traffic([4, 9, 4, 9, 9]), .recorded)
    #expect(
      used == [
        ["initialize", "tools/call", "tools/call"], ["tools/call", "tools/call", "tools/call"],
      ])
  }

  @Test func `keep-alive: one connection carries all that is not parallel`() async throws {
    let used = try await Self.connections(Self.traffic([4, 9, 4]), .keepAlive)
    #expect(used == [["initialize", "tools/call", "tools/call", "tools/call"]])
  }

  @Test func `per-request: no connection carries two requests`() async throws {
    let used = try await Self.connections(Self.traffic([4, 4, 4]), .perRequest)
    #expect(used == [["initialize"], ["tools/call"], ["tools/call"], ["tools/call"]])
  }

  @Test func `shared: all agents' requests go over few connections`() async throws {
    let used = try await Self.connections(Self.traffic([4, 4, 4]), .shared(2), times: 10)
    #expect(used.count <= 2)
    #expect(used.flatMap(\.self).count == 40)
  }

  @Test func `a shared connection whose server hangs is given to others`() async throws {
    let server = try await Load.server { request in
      request.tool == "side" ? .silence : .json(fine)
    }
    let summary = try await Load.run(Load.traffic(), port: server.port) { _ in
    } run: {
      $0.connect.mode = .shared(1)
      $0.policy.callTimeout = 2_000_000_000
    }
    #expect(summary.outcomes == [.ok: 3, .timeout: 2])
    #expect(server.requests.last?.method == "DELETE")
    try await server.kill()
  }

  @Test func `connections that carried several sessions are counted`() {
    #expect(Self.traffic([1, 2]).sharedConnections == 0)
    var builder = ScriptBuilder()
    for name in ["s1", "s2"] {
      var lines = SessionLines(name, start: 0)
      lines.request("initialize", t: 0) { $0.conn = 7 }
      for event in lines.events { builder.add(event) }
    }
    #expect(builder.finish().sharedConnections == 1)
  }

  @Test func `a stream that always ends at once, to be asked for at once, makes no agent spin`()
    async throws
  {
    let stream =
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
      + "id: 1\nretry: 0\ndata:\n\n"
    let server = try await TinyServer.start { request in
      switch (request.method, request.body["method"]?.string) {
      case ("GET", _): .raw(stream)
      case ("DELETE", _): .status(200)
      case (_, "initialize"): .json(#""result":{"protocolVersion":"2025-11-25"}"#)
      case (_, "tools/call"): .json(fine)
      default: .status(202)
      }
    }
    let summary = try await Load.run(Load.traffic(turns: 5, think: 300), port: server.port)
    #expect(summary.outcomes == [.ok: 7])
    // Two seconds: 50, 100, 200, 400, 800 ms apart.
    #expect((2...8).contains(server.requests.count { $0.method == "GET" }))
    try await server.kill()
  }

  @Test func `agents of a closed load do not storm a server that takes no sessions`() async throws {
    let server = try await TinyServer.start { request in
      request.body["method"]?.string == "initialize" ? .status(503) : .json(fine)
    }
    let summary = try await Load.run(Load.traffic(sessions: 2, think: 5), port: server.port) {
      $0.load = .agents(2)
      $0.duration = 2_500_000_000
    }
    #expect((2...8).contains(summary.agents.started))
    #expect(summary.sent == 0)
    #expect(summary.plan.calls == summary.sent + summary.skipped + summary.aborted)
    try await server.kill()
  }
}
