import Basics
import Glibc
import NIOCore
import Redaction
import ReplayEngine
import ReplayPlan
import Synchronization
import TestKit
import Testing
import Trace

private let fine = #""result":{"content":[]}"#

/// Replays over sockets against a server that does as the test says.
@Suite(.timeLimit(.minutes(5)))
struct Runs {
  @Test(arguments: [
    TinyServer.Reply.json(fine), .events(fine), .json(fine, closes: true), .jsonThenClose(fine),
    .json(fine, after: .milliseconds(15)),
  ])
  func `every planned call is answered, however the server likes to`(
    _ reply: TinyServer.Reply
  ) async throws {
    let server = try await Load.server { _ in reply }
    let summary = try await Load.run(Load.traffic(sessions: 3), port: server.port) {
      $0.count = .multiply(4)
    }
    #expect(summary.outcomes == [.ok: 60])
    #expect(summary.plan.calls == 60)
    #expect(server.calls.count == 60)
    #expect(summary.fidelity.chainsExact == 1)
    #expect(summary.successRatio == 1)
    #expect(summary.outcomeChange.okOK == 60)
    #expect(summary.requests == ["initialize": 12])
    #expect(summary.agents.started == 12 && summary.agents.finished == 12)
    #expect(summary.isValid)
    let requests = server.requests
    #expect(requests.count { $0.method == "GET" } == 12)
    #expect(requests.count { $0.method == "DELETE" } == 12)
    try await server.kill()
  }

  @Test func `an agent keeps its connections and takes more for parallel calls`() async throws {
    let server = try await Load.server { _ in .json(fine, after: .milliseconds(10)) }
    _ = try await Load.run(Load.traffic(), port: server.port)
    // One to look whether the target is there, the stream's, one for all calls, one for the sibling.
    #expect(server.connections <= 4)
    try await server.kill()
  }

  @Test func `a connection that closed while idle costs no call`() async throws {
    let server = try await Load.server { request in
      request.place > 0 ? .close : .json(fine)
    }
    let summary = try await Load.run(Load.traffic(), port: server.port)
    #expect(summary.outcomes == [.ok: 5])
    try await server.kill()
  }

  @Test func `no call is sent before it is due, and all are measured`() async throws {
    let server = try await Load.server { _ in .json(fine) }
    let summary = try await Load.run(Load.traffic(sessions: 20), port: server.port)
    // How late they are is the machine's affair.
    #expect((summary.lag.p50 ?? -1) >= 0)
    #expect((summary.thinkError.max ?? -1) >= 0)
    #expect(summary.latency.fromDue.p50 ?? 0 >= summary.latency.fromSent.p50 ?? .infinity)
    #expect(summary.latency.fromDue.n == 100)
    #expect(summary.latency.fromSent.p50 != nil && summary.latency.fromSent.p99 == nil)
    try await server.kill()
  }

  @Test func `turns, tools and first bytes have figures, and the kernel's stamps are read`()
    async throws
  {
    let server = try await Load.server { _ in .json(fine) }
    let summary = try await Load.run(Load.traffic(sessions: 20), port: server.port)
    #expect(summary.turns.map(\.name) == ["1", "2", "3", "4"])
    #expect(summary.turns.map(\.figures.calls) == [20, 20, 20, 40])
    #expect(summary.tools.mapValues(\.succeeded) == ["work": 60, "side": 40])
    #expect(summary.latency.firstByte.n == 100)
    #expect(summary.latency.firstByte.p50 ?? 1 <= summary.latency.fromSent.p50 ?? 0)
    #expect(summary.busiestLag != nil)
    #expect((summary.readLag.p50 ?? -1) >= 0 && (summary.readLag.max ?? .infinity) < 60_000)
    #expect(summary.tokensAtRisk == .init(bytes: 0))
    try await server.kill()
  }

  @Test func `a server that is faster than the recorded one has a slip below zero`() async throws {
    var lines = SessionLines("s1", start: 0)
    let second: Int64 = 1_000_000_000
    let hello = lines.request("initialize", t: 0)
    let ready = lines.answer(hello, t: 1_000_000)
    let first = lines.call("work", t: 2_000_000, turn: 1, after: [ready])
    let answer = lines.answer(first, t: 20 * second)
    let next = lines.call("work", t: 20 * second + 1_000_000, turn: 2, after: [answer])
    _ = lines.answer(next, t: 20 * second + 2_000_000)
    lines.end(t: 21 * second)
    var builder = ScriptBuilder()
    for event in lines.events { builder.add(event) }
    let server = try await Load.server { _ in .json(fine) }
    let summary = try await Load.run(builder.finish(), port: server.port)
    #expect(summary.outcomes == [.ok: 2])
    #expect((summary.slip.p50 ?? 0) < -10_000)
    try await server.kill()
  }

  @Test func `failures are shown without secrets, with what the agent had spent`() async throws {
    let secret = "ghp_" + String(repeating: "aB3", count: 12)
    let server = try await Load.server { request in
      request.tool == "side"
        ? .json(#""error":{"code":-32000,"message":"no access with \#(secret)"}"#) : .json(fine)
    }
    let summary = try await Load.run(Load.traffic(sessions: 4), port: server.port)
    #expect(summary.outcomes == [.ok: 12, .jsonrpcError: 8])
    #expect(summary.samples.count == 3)
    for sample in summary.samples {
      #expect(sample.outcome == .jsonrpcError && sample.tool == "side" && sample.code == -32000)
      #expect(sample.answer?.contains("no access with") == true)
      #expect(sample.answer?.contains(secret) == false)
    }
    // Each failed call had at least the handshake and three calls behind it, both ways.
    #expect(summary.tokensAtRisk.low > 8 * 400 / 6)
    #expect(abs(summary.tokensAtRisk.high - 2 * summary.tokensAtRisk.low) <= 1)
    try await server.kill()
  }

  @Test func `a session that the server forgot ends as lost`() async throws {
    let server = try await Load.server { request in
      request.body["id"]?.int == 3 ? .status(404) : .json(fine)
    }
    let summary = try await Load.run(Load.traffic(sessions: 2), port: server.port)
    #expect(summary.outcomes == [.ok: 2, .sessionLost: 2])
    #expect(summary.skippedBy == [.afterError: 6])
    #expect(summary.plan.calls == summary.sent + summary.skipped + summary.aborted)
    #expect(summary.newErrorRatio == 0.5)
    #expect(!server.requests.contains { $0.method == "DELETE" })
    try await server.kill()
  }

  @Test func `a session that the server forgot is taken up anew where the policy says so`()
    async throws
  {
    let calls = Atomic<Int>(0)
    let server = try await Load.server { request in
      request.tool == "work" && calls.add(1, ordering: .relaxed).newValue == 2
        ? .status(404) : .json(fine)
    }
    let path = try TemporaryFile.with { $0 }
    defer { unsafe unlink(path) }
    let trace = try RunTrace(path: path)
    let summary = try await Load.run(Load.traffic(), port: server.port) { _ in
    } run: {
      $0.policy.onSessionLoss = .reinitialize
      $0.trace = trace
    }
    _ = try await trace.close(bytes: 0, lost: .init(count: 0, bytes: 0))
    #expect(summary.outcomes == [.ok: 4, .sessionLost: 1])
    #expect(summary.requests == ["initialize": 1])
    #expect(summary.fidelity.chainsExact == 1)
    let requests = server.requests
    #expect(requests.count { $0.body["method"]?.string == "initialize" } == 2)
    #expect(requests.count { $0.method == "GET" } == 2)
    #expect(requests.count { $0.method == "DELETE" } == 1)
    let hellos = try TraceReader.events(of: path).count { event in
      if case .request(let line) = event { line.method == "initialize" } else { false }
    }
    #expect(hellos == 2)
    try await server.kill()
  }

  @Test func `garbage is a transport error`() async throws {
    let server = try await Load.server { _ in .raw("\u{1}\u{2}not http at all\r\n\r\n") }
    let summary = try await Load.run(Load.traffic(), port: server.port)
    #expect(summary.outcomes == [.transportError: 5])
    #expect(summary.successRatio == 0)
    try await server.kill()
  }

  @Test func `a server that never answers is given up`() async throws {
    let server = try await Load.server { request in
      request.tool == "side" ? .silence : .json(fine)
    }
    let summary = try await Load.run(Load.traffic(), port: server.port) { _ in
    } run: {
      // Longer than a busy machine takes for the calls that are answered.
      $0.policy.callTimeout = 8_000_000_000
    }
    #expect(summary.outcomes == [.ok: 3, .timeout: 2])
    let notices = server.requests.filter { $0.body["method"]?.string == "notifications/cancelled" }
    #expect(notices.count == 2)
    #expect(summary.latency.adjusted.infiniteFrom == 0.6)
    try await server.kill()
  }

  @Test func `asked to stop, a run drains and counts what it left out`() async throws {
    let stop = RunStop()
    let asked = Mutex(false)
    let server = try await Load.server { _ in
      asked.withLock { wasAsked in
        if !wasAsked { stop.request() }
        wasAsked = true
      }
      return .json(fine, after: .milliseconds(30))
    }
    let traffic = Load.traffic(turns: 50, think: 200)
    let summary = try await Load.run(traffic, port: server.port, stop: stop)
    // How many calls are out before the stop is heard is the machine's affair.
    let answered = try #require(summary.outcomes[.ok])
    #expect(summary.outcomes == [.ok: answered])
    #expect(summary.aborted > 0 && answered + summary.aborted == 52)
    #expect(!summary.isValid)
    #expect(server.requests.last?.method == "DELETE")
    try await server.kill()
  }

  @Test func `asked twice, a run stops at once`() async throws {
    let stop = RunStop()
    let server = try await Load.server { _ in
      stop.request()
      stop.request()
      return .silence
    }
    let summary = try await Load.run(Load.traffic(), port: server.port, stop: stop)
    #expect(summary.outcomes == [.unanswered: 1])
    #expect(summary.aborted == 4)
    try await server.kill()
  }

  @Test func `a restarted server is met again by those who start later`() async throws {
    let first = try await Load.server { _ in .json(fine) }
    let port = first.port
    async let running = Load.run(Load.traffic(sessions: 2, turns: 4, think: 100), port: port) {
      $0.count = .multiply(10)
      $0.jitter = 6_000_000_000
      $0.burst = .lockstep
    }
    try await Task.sleep(for: .milliseconds(500))
    try await first.kill()
    let second = try await Load.server(port: port) { request in
      request.fields.first("mcp-session-id") == nil ? .status(400) : .json(fine)
    }
    let summary = try await running
    #expect(summary.plan.calls == summary.sent + summary.skipped + summary.aborted)
    #expect(summary.outcomes.values.reduce(0, +) == summary.sent)
    #expect(summary.agents.finished == 20)
    #expect(!second.calls.isEmpty)
    try await second.kill()
  }

  @Test func `nothing is sent when the target is not there`() async throws {
    let server = try await Load.server { _ in .json(fine) }
    try await server.kill()
    await #expect(throws: TargetUnreachable.self) {
      try await Load.run(Load.traffic(), port: server.port)
    }
  }

  @Test func `a closed load replaces agents until its time is over`() async throws {
    let server = try await Load.server { _ in .json(fine) }
    let summary = try await Load.run(Load.traffic(sessions: 2, think: 5), port: server.port) {
      $0.load = .agents(3)
      $0.duration = 4_000_000_000
    }
    #expect(summary.agents.peak == 3)
    #expect(summary.agents.started > 3)
    #expect(summary.agents.finished == summary.agents.started)
    #expect(summary.plan.calls == summary.sent + summary.skipped + summary.aborted)
    #expect(summary.sent == server.calls.count)
    try await server.kill()
  }

  @Test func `the run's own trace holds every call with its answer`() async throws {
    let server = try await Load.server { request in
      request.tool == "side" ? .json(#""result":{"isError":true}"#) : .events(fine)
    }
    let path = try TemporaryFile.with { $0 }
    defer { unsafe unlink(path) }
    let trace = try RunTrace(path: path)
    let summary = try await Load.run(Load.traffic(), port: server.port) {
      $0.count = .multiply(2)
    } run: {
      $0.trace = trace
    }
    _ = try await trace.close(bytes: 0, lost: .init(count: 0, bytes: 0))
    let again = try TraceReader.events(of: path)
    let calls = again.compactMap { event -> RequestLine? in
      if case .request(let line) = event, line.isLogicalCall { line } else { nil }
    }
    let outcomes = again.compactMap { event -> Outcome? in
      if case .response(let line) = event { line.outcome } else { nil }
    }
    #expect(calls.count == summary.sent)
    #expect(calls.allSatisfy { $0.after != nil && ($0.think ?? 0) >= 20_000_000 })
    #expect(outcomes.count { $0 == .toolError } == 4)
    #expect(outcomes.count == 12)
    try await server.kill()
  }

  @Test func `the run's own trace hides what the recording hid`() async throws {
    let server = try await Load.server { _ in
      .json(#""result":{"structuredContent":{"name":"Zoe Zebra","mail":"zoe@example.org"}}"#)
    }
    for (rules, payloads, hidden) in [
      (["/result/**/mail"], .full, [false, true]), ([], .shape, [true, true]),
    ] as [([String], HeaderLine.Payloads, [Bool])] {
      let path = try TemporaryFile.with { $0 }
      defer { unsafe unlink(path) }
      let trace = try RunTrace(
        path: path, hiding: rules.compactMap { RedactionRule(named: $0) }, payloads: payloads)
      _ = try await Load.run(Load.traffic(), port: server.port, run: { $0.trace = trace })
      _ = try await trace.close(bytes: 0, lost: .init(count: 0, bytes: 0))
      let text = try TraceReader.events(of: path).map(\.line.text).joined()
      #expect(["Zoe Zebra", "zoe@example.org"].map { !text.contains($0) } == hidden)
      #expect(text.contains(#""payloads":"\#(payloads.rawValue)""#))
    }
    try await server.kill()
  }
}
