import Basics
import ReplayPlan
import Report
import Testing
import Trace

@Suite struct `The summary as JSON` {
  private func keys(_ value: JSONValue?) -> [String] { value?.members?.map(\.key) ?? [] }

  @Test func `has every key of the contract, also when there is nothing to say`() throws {
    let text = SummaryJSON(ReplaySummary()).text
    let value = try #require(JSONValue(parsing: text))
    let wanted = [
      "valid", "degraded", "reasons", "plan", "sent", "skipped", "aborted", "skipped_by",
      "prologue", "agents", "outcomes", "outcome_change", "success_ratio", "new_error_ratio",
      "latency_ms", "within_400ms", "throughput", "lag_ms", "read_lag_ms", "slip_ms",
      "loop_utilisation", "think_error_ms", "fidelity", "tokens_at_risk", "tools", "requests",
      "thresholds", "options", "environment", "samples", "turns", "stages", "verify",
    ]
    #expect(Set(wanted).subtracting(keys(value)).isEmpty)
    #expect(
      keys(value["latency_ms"]) == [
        "from_due", "from_sent", "first_byte", "from_intended", "adjusted",
      ])
    #expect(keys(value["lag_ms"]) == ["p50", "p99", "max", "busiest_p99"])
    #expect(keys(value["tokens_at_risk"]) == ["low", "high"])
    #expect(
      keys(value["fidelity"]) == [
        "chains_exact", "sessions_explicit", "sessions_inferred", "confidence_p10",
        "waits_on_order", "execution_rmse", "idc", "idc_band", "n_windows", "peak_concurrency",
      ])
    #expect(keys(value["fidelity"]?["idc_band"]) == ["0.1s", "1s", "10s", "60s"])
  }

  @Test func `figures of groups have shares of their own`() throws {
    var summary = ReplaySummary()
    var figures = ReplaySummary.CallFigures()
    (figures.calls, figures.succeeded, figures.within400ms) = (4, 3, 2)
    figures.outcomes = [.ok: 3, .timeout: 1]
    summary.tools["a"] = figures
    summary.turns = [("1", figures)]
    summary.stages = [.init(from: 0, to: 1_500_000_000, calls: figures)]
    let value = SummaryJSON(summary).value
    for group in [value["tools"]?["a"], value["turns"]?["1"], value["stages"]?[0]] {
      #expect(group?["success_ratio"]?.double == 0.75)
      #expect(group?["within_400ms"]?.double == 0.5)
      #expect(group?["outcomes"]?["timeout"]?.int == 1)
    }
    #expect(value["stages"]?[0]?["to_s"]?.double == 1.5)
  }
}
