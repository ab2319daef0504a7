import Analysis
import Basics
import Testing

@Suite struct `Comparing two runs` {
  private func run(
    calls: Int = 2000, ok: Double = 0.99, p50: Double = 20, p99: Double = 90, rate: Double = 50,
    plan: String = "a", isValid: Bool = true
  ) throws -> ComparedRun {
    let figures = """
      {"n":\(calls),"p50":\(p50),"p90":\(p50 * 2),"p95":\(p50 * 3),"p99":\(p99),"p999":\(p99 * 1.5),"max":\(p99 * 2)}
      """
    let text = """
      {"valid":\(isValid),"reasons":["late"],"sent":\(calls),"success_ratio":\(ok),"within_400ms":\(ok),
       "latency_ms":{"from_sent":\(figures)},"throughput":{"calls_per_s":\(rate)},"plan":{"digest":"\(plan)"},
       "tools":{"read":{"calls":\(calls),"success_ratio":\(ok),"within_400ms":1,"latency_ms":\(figures)}}}
      """
    let value = try #require(JSONValue(parsing: text))
    return try #require(ComparedRun(summary: value))
  }

  private func verdicts(_ a: ComparedRun, _ b: ComparedRun) -> [String: RunComparison.Verdict] {
    RunComparison(a, b).rows.reduce(into: [:]) { $0[$1.name] = $1.verdict }
  }

  @Test func `a run is no different from itself`() throws {
    let comparison = RunComparison(try run(), try run())
    #expect(comparison.trouble == nil && !comparison.isRegression && comparison.isSamePlan)
    #expect(comparison.rows.allSatisfy { $0.verdict == .same })
  }

  @Test func `fewer successes are a regression when they are no accident`() throws {
    let small = verdicts(try run(calls: 50, ok: 1), try run(calls: 50, ok: 0.98))
    #expect(small["success ratio"] == .same)
    let large = RunComparison(try run(), try run(ok: 0.97))
    #expect(large.isRegression)
    #expect(large.rows.first?.name == "success ratio" && large.rows.first?.verdict == .worse)
    #expect(verdicts(try run(ok: 0.97), try run())["read: success ratio"] == .better)
  }

  @Test func `latency is worse when its intervals do not meet and it matters`() throws {
    #expect(verdicts(try run(), try run(p50: 20.4))["latency p50"] == .same)
    #expect(verdicts(try run(), try run(p50: 30))["latency p50"] == .worse)
    #expect(verdicts(try run(p50: 30), try run())["latency p50"] == .better)
    // Of 40 calls the median may be anywhere around.
    #expect(verdicts(try run(calls: 40), try run(calls: 40, p50: 24))["latency p50"] == .same)
  }

  @Test func `throughput is judged when the plan is the same`() throws {
    #expect(verdicts(try run(), try run(rate: 40))["calls per second"] == .worse)
    let other = RunComparison(try run(), try run(rate: 40, plan: "b"))
    #expect(!other.isRegression && !other.isSamePlan)
  }

  @Test func `an invalid run or one without calls is not comparable`() throws {
    #expect(RunComparison(try run(), try run(isValid: false)).trouble?.contains("late") == true)
    #expect(RunComparison(try run(calls: 0), try run()).trouble != nil)
    #expect(ComparedRun(summary: .object([])) == nil)
  }

  @Test(arguments: [
    // Newcombe 1998, table II, method 10.
    (56, 70, 48, 80, -0.3339, -0.0524), (9, 10, 3, 10, -0.8090, -0.1705),
    (10, 10, 0, 20, -1, -0.6791), (10, 10, 0, 10, -1, -0.6075),
  ])
  func `differences of shares have Newcombe's intervals`(
    _ k: Int, _ n: Int, _ m: Int, _ l: Int, _ low: Double, _ high: Double
  ) throws {
    let difference = try #require(ProportionDifference(k, of: n, m, of: l))
    #expect(abs(difference.low - low) < 0.0002 && abs(difference.high - high) < 0.0002)
    #expect(difference.isReal)
  }
}
