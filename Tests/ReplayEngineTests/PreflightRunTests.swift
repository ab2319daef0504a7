import Basics
import ReplayEngine
import ReplayPlan
import Synchronization
import TestKit
import Testing
import Trace

/// A preflight over sockets and pipes.
@Suite(.timeLimit(.minutes(5)))
struct `Preflights of a run` {
  /// Three sessions with `work` and `side`, each with other arguments in each session.
  private func preflight() -> Preflight {
    var traffic = Load.traffic(sessions: 3)
    traffic.readOnlyTools = ["work", "side"]
    for s in traffic.scripts.indices {
      for i in traffic.scripts[s].steps.indices {
        guard let tool = traffic.scripts[s].steps[i].tool else { continue }
        traffic.scripts[s].steps[i].params = RawJSON(
          JSONValue(parsing: #"{"name":"\#(tool)","arguments":{"of":\#(s)}}"#) ?? .null)
      }
    }
    return Preflight(traffic)
  }

  /// What became of each call, as `TOOL OUTCOME`.
  private func ends(
    _ preflight: Preflight, _ target: ReplayTarget, stop: RunStop = RunStop(),
    then: @escaping @Sendable (StepEnd) -> Void = { _ in }
  ) async throws -> (ends: [Preflight.Place: StepEnd.How], interrupted: Bool) {
    var options = RunOptions()
    options.policy.onError = .carryOn
    let ends = Mutex<[Preflight.Place: StepEnd.How]>([:])
    options.observer = { end in
      let place = Preflight.Place(script: end.script, step: end.step)
      if preflight.calls[place] != nil { ends.withLock { $0[place] = end.how } }
      then(end)
    }
    let result = try await ReplayRun.perform(
      Planner(preflight.traffic, preflight.options(agents: 1)).plan(), target: target,
      options: options, stop: stop)
    return (ends.withLock { $0 }, result.interrupted)
  }

  private func target(_ server: TinyServer) -> ReplayTarget {
    ReplayTarget(
      host: "127.0.0.1", port: server.port, authority: "127.0.0.1:\(server.port)", path: nil)
  }

  private func outcomes(_ ends: [Preflight.Place: StepEnd.How]) -> [Outcome: Int] {
    ends.values.reduce(into: [:]) {
      if case .over(let record, _) = $1 { $0[record.outcome, default: 0] += 1 }
    }
  }

  @Test func `every distinct call is made once, and its end is told`() async throws {
    let server = try await Load.server { request in
      request.tool == "side"
        ? .json(
          #""error":{"code":-32602,"message":"none with ghp_\#(String(repeating: "aB3", count: 12))"}"#
        )
        : .json(#""result":{"content":[]}"#)
    }
    let preflight = preflight()
    #expect(preflight.calls.count == 6)
    let (ends, interrupted) = try await ends(preflight, target(server))
    #expect(
      !interrupted && server.calls.sorted() == ["side", "side", "side", "work", "work", "work"])
    let methods = server.requests.map { $0.body["method"]?.string ?? $0.method }
    #expect(!methods.contains("GET") && methods.count { $0 == "DELETE" } == 3)
    let shown = ShownAnswers(preflight.traffic)
    for (place, call) in preflight.calls {
      guard case .over(let record, let answer)? = ends[place] else {
        Issue.record("nothing was told of \(call)")
        continue
      }
      #expect(record.outcome == (call.tool == "side" ? .jsonrpcError : .ok))
      guard call.tool == "side" else { continue }
      let message = answer.flatMap { shown.message($0, record.outcome) }
      #expect(message?.hasPrefix("none with ") == true && message?.contains("aB3aB3") == false)
    }
    try await server.kill()
  }

  @Test func `a target that goes in the middle leaves no call without an end`() async throws {
    let seen = Atomic(0)
    let server = try await Load.server { _ in
      seen.add(1, ordering: .relaxed).newValue > 2
        ? .silence : .json(#""result":{"content":[]}"#)
    }
    let preflight = preflight()
    let (ends, _) = try await ends(preflight, target(server)) { end in
      guard case .over(let record, _) = end.how, record.outcome == .ok,
        preflight.calls[.init(script: end.script, step: end.step)] != nil,
        seen.load(ordering: .relaxed) == 2
      else { return }
      Task { try await server.kill() }
    }
    let outcomes = outcomes(ends)
    // One at a time: a session of two calls went well, and no other could be opened or answered.
    #expect(outcomes[.ok] == 2 && Set(outcomes.keys).isSubset(of: [.ok, .transportError]))
    let result = PreflightResult(
      preflight,
      ends.mapValues {
        switch $0 {
        case .over(let record, _):
          .sent(.init(outcome: record.outcome, status: nil, code: nil, message: nil))
        case .omitted(let reason): .unsent(reason)
        }
      })
    #expect(!result.isComplete && result.failures.isEmpty)
    #expect(result.unanswered.count + result.unsent.count == 4)
  }

  @Test func `an interruption keeps what is known`() async throws {
    let server = try await Load.server { _ in .json(#""result":{"content":[]}"#) }
    let preflight = preflight()
    let stop = RunStop()
    let (ends, interrupted) = try await ends(preflight, target(server), stop: stop) { end in
      // In time for the sessions to come: there is one at a time.
      guard case .over(let record, _) = end.how, record.outcome == .ok else { return }
      if preflight.calls[.init(script: end.script, step: end.step)] != nil { stop.request() }
    }
    #expect(interrupted)
    #expect(outcomes(ends)[.ok].map { (1...5).contains($0) } == true, "\(outcomes(ends))")
    try await server.kill()
  }

  @Test func `each session starts a stdio server of its own`() async throws {
    let answer =
      #"sed -u 's/.*"id":\([0-9]*\),.*/{"jsonrpc":"2.0","id":\1,"result":{"protocolVersion":"2025-11-25"}}/'"#
    let (ends, _) = try await ends(preflight(), ReplayTarget(command: ["sh", "-c", answer]))
    #expect(outcomes(ends) == [.ok: 6])
  }
}
