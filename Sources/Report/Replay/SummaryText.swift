public import ReplayPlan
import Trace

/// A run's result for people: verdict, success to error, latency, throughput, lag, what was inferred.
public struct SummaryText {
  private let summary: ReplaySummary
  private let isFloor: Bool

  /// Renders `summary`; `isFloor` is true when the target was a null server.
  public init(_ summary: ReplaySummary, isFloor: Bool = false) {
    self.summary = summary
    self.isFloor = isFloor
  }

  /// The lines, each with a line end; about a screen.
  public var text: String {
    var lines = [verdict]
    if isFloor {
      lines.append(
        "  against a null server: what follows is the floor of this generator on this machine")
    }
    lines += summary.reasons.map { "  " + $0 }
    lines += thresholds
    lines.append("")
    lines += calls
    lines += latency
    lines += load
    lines += generator
    lines += basis
    return lines.joined(separator: "\n") + "\n" + stages.joined(separator: "\n") + toolTable
  }

  private var missed: Int { summary.thresholds.count { !$0.isMet } }

  private var verdict: String {
    if !summary.isValid {
      return "INVALID: the figures below do not show the server under this plan"
    }
    let quality = summary.isDegraded ? "valid, but degraded" : "valid"
    guard !summary.thresholds.isEmpty else { return quality }
    let count = summary.thresholds.count
    return missed > 0
      ? "FAILED: \(missed) of \(Format.count(count, "threshold")) missed (the result is \(quality))"
      : "PASSED: \(count) of \(Format.count(count, "threshold")) met (the result is \(quality))"
  }

  private var thresholds: [String] {
    let results = summary.thresholds.filter { !$0.isMet } + summary.thresholds.filter(\.isMet)
    return results.map { result in
      let value = result.value.map { Format.decimal($0, digits: 4) } ?? "no value"
      let note = result.note.map { "; " + $0 } ?? ""
      return "  \(result.isMet ? "met     " : "MISSED  ")\(result.expression)   \(value)\(note)"
    }
  }

  private var calls: [String] {
    var lines = [
      row("success", summary.successRatio.map(Format.percent) ?? "no call was sent")
        + (summary.sent > 0 ? " of \(Format.count(summary.sent, "call"))" : "")
    ]
    let order: [Outcome] = [
      .toolError, .jsonrpcError, .httpError, .transportError, .timeout, .cancelled, .sessionLost,
      .unanswered,
    ]
    let failures = order.compactMap { outcome in
      summary.outcomes[outcome].map { "\($0) \(outcome.rawValue)" }
    }
    if !failures.isEmpty { lines.append(row("not ok", failures.joined(separator: ", "))) }
    let change = summary.outcomeChange
    if change.okErr + change.errOK > 0 {
      lines.append(
        row(
          "compared",
          "\(change.okErr) failed that succeeded in the recording, \(change.errOK) the other way"))
    }
    lines += samples
    if summary.tokensAtRisk.high > 0 {
      lines.append(
        row(
          "at risk",
          "\(summary.tokensAtRisk.low) to \(summary.tokensAtRisk.high) tokens that agents had spent before the failed calls"
        ))
    }
    if summary.skipped + summary.aborted > 0 {
      let parts =
        SkipReason.allCases.compactMap { reason in
          summary.skippedBy[reason].map { "\($0) skipped by \(reason.rawValue)" }
        } + (summary.aborted > 0 ? ["\(summary.aborted) aborted"] : [])
      lines.append(
        row("not sent", parts.joined(separator: ", ") + " of \(summary.plan.calls) planned"))
    }
    return lines + verification + revisions
  }

  /// The first failure of each class.
  private var samples: [String] {
    var seen: Set<Outcome> = []
    return summary.samples.filter { seen.insert($0.outcome).inserted }.prefix(3).map { sample in
      var parts = ["\(sample.agent) n\(sample.n) \(sample.tool)"]
      if let status = sample.status { parts.append("HTTP \(status)") }
      if let code = sample.code { parts.append("code \(code)") }
      if let answer = sample.answer { parts.append(answer) }
      let text = Format.fitted(Format.printable(parts.joined(separator: " ")), 100)
      return row("", "\(sample.outcome.rawValue): \(text)")
    }
  }

  private var verification: [String] {
    let figures = summary.verification
    guard figures.mode != "off" else { return [] }
    let example = figures.examples.first.map {
      "; first \($0.session) n\($0.n) \($0.tool) at \($0.at): \($0.what)"
    }
    return [
      row(
        "verified",
        "\(figures.different) of \(Format.count(figures.checked, "answer")) unlike the recorded (\(figures.mode))"
          + Format.fitted(Format.printable(example ?? ""), 100))
    ]
  }

  private var revisions: [String] {
    let figures = summary.revisions
    guard !figures.told.isEmpty else { return [] }
    let told = figures.told.sorted { $0.key < $1.key }.map {
      "\(Format.count($0.value, "recorded session")) told in \($0.key)"
    }
    let untold = figures.untold.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      "\($0.value) \($0.key)"
    }
    let left = untold.isEmpty ? "" : "; no counterpart, not sent: " + untold.joined(separator: ", ")
    return [row("revision", told.joined(separator: ", ") + left)]
  }

  private var latency: [String] {
    guard summary.sent > 0 else { return [] }
    func parts(_ quantiles: ReplaySummary.Quantiles) -> String {
      [
        ("p50", quantiles.p50), ("p90", quantiles.p90), ("p99", quantiles.p99),
        ("max", quantiles.max),
      ].compactMap { name, value in
        value.map { "\(name) \(Format.duration(milliseconds: $0))" }
      }.joined(separator: ", ")
    }
    let share = summary.within400ms.map { "\(Format.percent($0)) succeeded within 400 ms; " } ?? ""
    var lines = [row("latency", share + parts(summary.latency.fromSent))]
    let due = summary.latency.fromDue
    if let p99 = due.p99 ?? due.max,
      p99 > 1.1 * (summary.latency.fromSent.p99 ?? summary.latency.fromSent.max ?? p99)
    {
      lines.append(row("", "from when calls were due: " + parts(due)))
    }
    return lines
  }

  private var load: [String] {
    let rate = summary.throughput.callsPerSecond.map {
      "\(Format.decimal($0, digits: 1)) calls/s (peak \(summary.throughput.peak), planned "
        + "\(Format.decimal(summary.throughput.planned, digits: 1)))"
    }
    var lines = rate.map { [row("throughput", $0)] } ?? []
    lines.append(
      row(
        "agents",
        "\(summary.agents.started) started, peak \(summary.agents.peak); calls in flight: peak "
          + "\(summary.fidelity.peakConcurrency)"))
    return lines
  }

  private var generator: [String] {
    let lag = [
      ("p50", summary.lag.p50), ("p99", summary.lag.p99), ("busiest 1 % p99", summary.busiestLag),
      ("max", summary.lag.max),
    ].compactMap { name, value in value.map { "\(name) \(Format.duration(milliseconds: $0))" } }
    let cost = summary.cpuPerCall.map { "\(Format.decimal($0, digits: 0)) µs of processor a call" }
    let loop = summary.loopUtilisation.map { "busiest loop \(Format.percent($0)) of a processor" }
    let spent = [cost, loop].compactMap(\.self).joined(separator: ", ")
    let generator = spent.isEmpty ? [] : [row("generator", spent)]
    guard !lag.isEmpty else { return generator }
    let read =
      summary.readLag.p99.map { "; reading p99 \(Format.duration(milliseconds: $0))" } ?? ""
    return [row("lag", lag.joined(separator: ", ") + read + " (the generator's own lateness)")]
      + generator
  }

  private var basis: [String] {
    var lines: [String] = []
    if let exact = summary.fidelity.chainsExact {
      lines.append(row("chains", "\(Format.percent(exact)) of sessions exactly as planned"))
    }
    let bursts = zip(summary.fidelity.idc, summary.fidelity.idcBand).compactMap {
      idc, band -> String? in
      idc.value.map { value in
        let planned = band.map {
          " (planned \(Format.decimal($0.lowerBound, digits: 1)) to \(Format.decimal($0.upperBound, digits: 1)))"
        }
        return "\(Format.decimal(value, digits: 1)) in \(idc.window)\(planned ?? "")"
      }
    }
    if !bursts.isEmpty {
      lines.append(row("bursts", "index of dispersion " + bursts.joined(separator: ", ")))
    }
    let inferred = summary.fidelity.sessionsInferred
    var basis =
      "\(Format.count(summary.fidelity.sessionsExplicit, "session")) named by the protocol, "
      + "\(inferred) inferred"
    if inferred > 0, let confidence = summary.fidelity.confidenceP10 {
      basis += " (p10 of confidence \(Format.decimal(confidence, digits: 2)))"
    }
    if let share = summary.fidelity.waitsOnOrder {
      basis += "; \(Format.percent(share)) of waits rest on order alone"
    }
    lines.append(row("recording", basis))
    lines.append(
      row("plan", "\(summary.plan.digest.prefix(16)) seed \(summary.plan.seed)"))
    return lines
  }

  private var toolTable: String {
    guard !summary.tools.isEmpty else { return "" }
    var table = Table([
      .text("tool", limit: 40), .number("calls"), .number("ok"), .number("not ok"), .number("p50"),
      .number("p99"), .number("max"),
    ])
    let tools = summary.tools.sorted { ($1.value.calls, $0.key) < ($0.value.calls, $1.key) }
    for (name, tool) in tools.prefix(8) {
      table.add([
        name, "\(tool.calls)", "\(tool.succeeded)", "\(tool.calls - tool.succeeded)",
        shown(tool.latency.p50),
        shown(tool.latency.p99), shown(tool.latency.max),
      ])
    }
    let more = tools.count > 8 ? "and \(tools.count - 8) more tools, see --summary\n" : ""
    return "\n" + table.text() + more
  }

  /// A line for each stage of the load.
  private var stages: [String] {
    guard !summary.stages.isEmpty else { return [] }
    var table = Table([
      .number("stage"), .number("until"), .number("calls"), .number("success"),
      .number("within 400 ms"), .number("p50"), .number("p99"), .number("max"),
    ])
    func share(_ count: Int, _ calls: Int) -> String {
      calls > 0 ? Format.percent(Double(count) / Double(calls)) : "–"
    }
    for (i, stage) in summary.stages.prefix(8).enumerated() {
      let calls = stage.calls
      table.add([
        "\(i + 1)", Format.duration(nanoseconds: stage.to), "\(calls.calls)",
        share(calls.succeeded, calls.calls), share(calls.within400ms, calls.calls),
        shown(calls.latency.p50), shown(calls.latency.p99), shown(calls.latency.max),
      ])
    }
    return ["", table.text()]
  }

  private func shown(_ value: Double?) -> String {
    value.map { Format.duration(milliseconds: $0) } ?? "–"
  }

  private func row(_ name: String, _ value: String) -> String {
    name + String(repeating: " ", count: max(1, 12 - name.count)) + value
  }
}
