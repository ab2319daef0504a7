public import Basics
public import ReplayPlan
import Trace

/// `summary.json` as the contract names its keys.
public struct SummaryJSON {
  private let summary: ReplaySummary

  /// Renders `summary`.
  public init(_ summary: ReplaySummary) { self.summary = summary }

  /// The JSON text, one line a top-level key, with a line end.
  public var text: String {
    var lines: [String] = []
    for member in value.members ?? [] {
      lines.append("  " + JSONValue.string(member.key).text + ": " + member.value.text)
    }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }

  /// The summary as a value; keys that are names from the recording come in order of the alphabet.
  public var value: JSONValue {
    object([
      ("valid", .bool(summary.isValid)), ("degraded", .bool(summary.isDegraded)),
      ("reasons", .array(summary.reasons.map { .string($0) })), ("plan", plan),
      ("sent", .int(summary.sent)), ("skipped", .int(summary.skipped)),
      ("aborted", .int(summary.aborted)),
      (
        "skipped_by",
        object(SkipReason.allCases.map { ($0.rawValue, .int(summary.skippedBy[$0] ?? 0)) })
      ),
      (
        "prologue",
        object([
          ("calls", .int(summary.prologue.calls)),
          ("outcomes", outcomes(summary.prologue.outcomes)),
        ])
      ),
      ("agents", agents), ("outcomes", outcomes(summary.outcomes)),
      ("outcome_change", outcomeChange), ("success_ratio", number(summary.successRatio)),
      ("new_error_ratio", number(summary.newErrorRatio)), ("latency_ms", latency),
      ("within_400ms", number(summary.within400ms)), ("throughput", throughput), ("lag_ms", lag),
      ("read_lag_ms", spread(summary.readLag)), ("slip_ms", spread(summary.slip)),
      ("loop_utilisation", number(summary.loopUtilisation)),
      ("cpu_us_per_call", number(summary.cpuPerCall)),
      ("think_error_ms", spread(summary.thinkError)), ("fidelity", fidelity),
      (
        "tokens_at_risk",
        object([
          ("low", .int(summary.tokensAtRisk.low)), ("high", .int(summary.tokensAtRisk.high)),
        ])
      ), ("tools", tools), ("turns", object(summary.turns.map { ($0.name, calls($0.figures)) })),
      ("stages", stages), ("requests", counts(summary.requests)), ("revisions", revisions),
      ("samples", .array(summary.samples.map(sample))), ("verify", verification),
      ("thresholds", .array(summary.thresholds.map(threshold))), ("options", summary.options),
      ("environment", summary.environment),
    ])
  }

  private var lag: JSONValue {
    var members = spread(summary.lag).members ?? []
    members.append(.init("busiest_p99", number(summary.busiestLag)))
    return .object(members)
  }

  private var stages: JSONValue {
    .array(
      summary.stages.map { stage in
        let times = [
          JSONValue.Member("from_s", number(Double(stage.from) / 1e9)),
          JSONValue.Member("to_s", number(Double(stage.to) / 1e9)),
        ]
        return .object(times + (calls(stage.calls).members ?? []))
      })
  }

  private func sample(_ sample: ReplaySummary.FailureSample) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("outcome", .string(sample.outcome.rawValue)), ("agent", .string(sample.agent)),
      ("n", .int(sample.n)), ("tool", .string(sample.tool)),
      ("at_s", number(Double(sample.at) / 1e9)), ("took_ms", number(Double(sample.took) / 1e6)),
    ]
    if let status = sample.status { members.append(("status", .int(status))) }
    if let code = sample.code { members.append(("code", .int(code))) }
    if let answer = sample.answer { members.append(("answer", .string(answer))) }
    return object(members)
  }

  private var verification: JSONValue {
    let figures = summary.verification
    return object([
      ("mode", .string(figures.mode)), ("checked", .int(figures.checked)),
      ("equal", .int(figures.equal)), ("different", .int(figures.different)),
      (
        "examples",
        .array(
          figures.examples.map {
            object([
              ("session", .string($0.session)), ("n", .int($0.n)), ("tool", .string($0.tool)),
              ("at", .string($0.at)), ("what", .string($0.what)),
            ])
          })
      ),
    ])
  }

  private func threshold(_ result: ReplaySummary.ThresholdResult) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("expression", .string(result.expression)), ("ok", .bool(result.isMet)),
      ("value", number(result.value)), ("limit", number(result.limit)),
    ]
    if let note = result.note { members.append(("note", .string(note))) }
    return object(members)
  }

  private var revisions: JSONValue {
    object([
      ("recorded", counts(summary.revisions.recorded)), ("told", counts(summary.revisions.told)),
      ("untold", counts(summary.revisions.untold)),
    ])
  }

  private func counts(_ counts: [String: Int]) -> JSONValue {
    object(counts.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) })
  }

  private var plan: JSONValue {
    object([
      ("digest", .string(summary.plan.digest)), ("seed", .int(summary.plan.seed)),
      ("sessions", .int(summary.plan.sessions)), ("calls", .int(summary.plan.calls)),
      ("source_sessions", .int(summary.plan.sourceSessions)),
      ("distinct_call_share", number(summary.plan.distinctCallShare)),
    ])
  }

  private var agents: JSONValue {
    object([
      ("peak", .int(summary.agents.peak)), ("mean", number(summary.agents.mean)),
      ("expected_mean", number(summary.agents.expectedMean)),
      ("started", .int(summary.agents.started)), ("finished", .int(summary.agents.finished)),
    ])
  }

  private var outcomeChange: JSONValue {
    object([
      ("ok_ok", .int(summary.outcomeChange.okOK)), ("ok_err", .int(summary.outcomeChange.okErr)),
      ("err_ok", .int(summary.outcomeChange.errOK)),
      ("err_err", .int(summary.outcomeChange.errErr)),
    ])
  }

  private var latency: JSONValue {
    object([
      ("from_due", quantiles(summary.latency.fromDue)),
      ("from_sent", quantiles(summary.latency.fromSent)),
      ("first_byte", quantiles(summary.latency.firstByte)),
      ("from_intended", quantiles(summary.latency.fromIntended)),
      ("adjusted", quantiles(summary.latency.adjusted)),
    ])
  }

  private var throughput: JSONValue {
    object([
      ("calls_per_s", number(summary.throughput.callsPerSecond)),
      ("peak_calls_per_s", .int(summary.throughput.peak)),
      ("planned_calls_per_s", number(summary.throughput.planned)),
    ])
  }

  private var fidelity: JSONValue {
    object([
      ("chains_exact", number(summary.fidelity.chainsExact)),
      ("sessions_explicit", .int(summary.fidelity.sessionsExplicit)),
      ("sessions_inferred", .int(summary.fidelity.sessionsInferred)),
      ("confidence_p10", number(summary.fidelity.confidenceP10)),
      ("waits_on_order", number(summary.fidelity.waitsOnOrder)),
      ("execution_rmse", number(summary.fidelity.executionRMSE)),
      ("idc", object(summary.fidelity.idc.map { ($0.window, number($0.value)) })),
      (
        "idc_band",
        object(
          zip(summary.fidelity.idc, summary.fidelity.idcBand).map { idc, band in
            (
              idc.window,
              band.map { .array([number($0.lowerBound), number($0.upperBound)]) } ?? .null
            )
          })
      ),
      ("n_windows", .int(summary.fidelity.windows)),
      ("peak_concurrency", .int(summary.fidelity.peakConcurrency)),
    ])
  }

  private var tools: JSONValue {
    object(summary.tools.sorted { $0.key < $1.key }.map { ($0.key, calls($0.value)) })
  }

  private func calls(_ figures: ReplaySummary.CallFigures) -> JSONValue {
    func share(_ count: Int) -> JSONValue {
      figures.calls > 0 ? number(Double(count) / Double(figures.calls)) : .null
    }
    return object([
      ("calls", .int(figures.calls)), ("outcomes", outcomes(figures.outcomes)),
      ("success_ratio", share(figures.succeeded)), ("within_400ms", share(figures.within400ms)),
      ("latency_ms", quantiles(figures.latency)),
    ])
  }

  private func outcomes(_ counts: [Outcome: Int]) -> JSONValue {
    let order: [Outcome] = [
      .ok, .toolError, .jsonrpcError, .httpError, .transportError, .timeout, .cancelled,
      .sessionLost, .unanswered,
    ]
    return object(order.map { ($0.rawValue, .int(counts[$0] ?? 0)) })
  }

  private func quantiles(_ q: ReplaySummary.Quantiles) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("n", .int(q.n)), ("p50", number(q.p50)), ("p90", number(q.p90)), ("p95", number(q.p95)),
      ("p99", number(q.p99)), ("p999", number(q.p999)), ("max", number(q.max)),
      ("mean", number(q.mean)),
    ]
    if let share = q.infiniteFrom { members.append(("infinite_from", number(share))) }
    return object(members)
  }

  private func spread(_ spread: ReplaySummary.Spread) -> JSONValue {
    object([
      ("p50", number(spread.p50)), ("p99", number(spread.p99)), ("max", number(spread.max)),
    ])
  }

  private func object(_ members: [(String, JSONValue)]) -> JSONValue {
    .object(members.map { .init($0.0, $0.1) })
  }

  private func number(_ value: Double?) -> JSONValue {
    guard let value, value.isFinite else { return .null }
    return .number(Format.decimal(value, digits: 6))
  }
}
