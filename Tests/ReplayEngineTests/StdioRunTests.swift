import Basics
import Glibc
import ReplayEngine
import ReplayPlan
import TestKit
import Testing
import Trace

/// Replays against stdio servers: one process an agent.
@Suite(.timeLimit(.minutes(5)))
struct `Runs over standard input and output` {
  /// Answers every request with an empty result, and repeats notifications.
  private static let server =
    #"sed -u 's/.*"id":\([0-9]*\),.*/{"jsonrpc":"2.0","id":\1,"result":{"protocolVersion":"2025-11-25"}}/'"#

  private func run(
    _ script: String, sessions: Int = 2, copies: Double = 3, think: Int64 = 20,
    change: (inout RunOptions) -> Void = { _ in }
  ) async throws -> ReplaySummary {
    let traffic = Load.traffic(sessions: sessions, think: think)
    var plan = PlanOptions()
    plan.count = .multiply(copies)
    var options = RunOptions()
    change(&options)
    let result = try await ReplayRun.perform(
      Planner(traffic, plan).plan(), target: ReplayTarget(command: ["sh", "-c", script]),
      options: options)
    return result.summary(of: traffic, maxLag: 3_600_000_000_000)
  }

  @Test func `every planned call is answered by the agent's own server`() async throws {
    let path = try TemporaryFile.with { $0 }
    defer { unsafe unlink(path) }
    let trace = try RunTrace(path: path)
    let summary = try await run(Self.server) { $0.trace = trace }
    _ = try await trace.close(bytes: 0, lost: .init(count: 0, bytes: 0))
    #expect(summary.outcomes == [.ok: 30])
    #expect(summary.requests == ["initialize": 6])
    #expect(summary.fidelity.chainsExact == 1)
    #expect(summary.agents.finished == 6)
    #expect(summary.isValid)
    let events = try TraceReader.events(of: path)
    var vias: Set<Via?> = []
    var servers: Set<Int> = []
    for case .request(let line) in events {
      vias.insert(line.via)
      if let conn = line.conn { servers.insert(conn) }
      #expect(line.x == nil)
    }
    #expect(vias == [.stdio])
    #expect(servers.count == 6)
  }

  @Test func `a server that ends answers nothing more`() async throws {
    let summary = try await run(
      #"for i in 1 2 3; do IFS= read -r line; printf '%s\n' "$line" | \#(Self.server); done"#,
      sessions: 1, copies: 1
    ) {
      $0.policy.onError = .carryOn
    }
    #expect(summary.outcomes[.ok] == 1)
    #expect(summary.outcomes == [.ok: 1, .transportError: 4])
  }

  @Test func `a server that ends is started anew where the policy says so`() async throws {
    // Each process has a handshake and one call in it.
    let summary = try await run(
      #"for i in 1 2 3; do IFS= read -r line; printf '%s\n' "$line" | \#(Self.server); done"#,
      sessions: 1, copies: 1, think: 1500
    ) {
      $0.policy.onError = .carryOn
      $0.policy.onSessionLoss = .reinitialize
    }
    // Of the two last calls, which are parallel, one is answered.
    #expect(summary.outcomes == [.ok: 4, .transportError: 1])
    #expect(summary.requests == ["initialize": 1])
    #expect(summary.agents.finished == 1)
  }

  @Test func `a server that ignores all is left in the end`() async throws {
    let summary = try await run("trap '' TERM; exec sleep 600", sessions: 1, copies: 1) {
      $0.policy.callTimeout = 300_000_000
    }
    #expect(summary.sent == 0)
    #expect(summary.skippedBy == [.afterError: 5])
    #expect(!summary.isValid)
  }

  @Test func `what cannot be started is known before the run`() async throws {
    let traffic = Load.traffic(sessions: 1)
    let error = await #expect(throws: TargetUnreachable.self) {
      try await ReplayRun.perform(
        Planner(traffic, PlanOptions()).plan(),
        target: ReplayTarget(command: ["/no/such/server"]), options: RunOptions())
    }
    #expect(
      error?.description
        == "cannot start /no/such/server: No such file or directory; check the command of --stdio")
  }
}
