import ReplayEngine
import ReplayPlan
import Testing

@Suite(.timeLimit(.minutes(2)))
struct `A generator that is slow` {
  @Test func `shows as lag, and makes the result invalid`() async throws {
    let server = try await Load.server { _ in .json(#""result":{"content":[]}"#) }
    let plan = Planner(Load.traffic(sessions: 10), PlanOptions()).plan()
    var options = RunOptions()
    options.stall = 60_000_000
    let target = ReplayTarget(
      host: "127.0.0.1", port: server.port, authority: "127.0.0.1", path: nil)
    let result = try await ReplayRun.perform(plan, target: target, options: options)
    let summary = result.summary(of: Load.traffic(sessions: 10), maxLag: 20_000_000)
    #expect(!summary.isValid)
    #expect(summary.reasons.first?.contains("the generator was late: lag p99") == true)
    #expect((summary.lag.p99 ?? 0) > 20 && (summary.thinkError.p99 ?? 0) > 20)
    try await server.kill()
  }
}
