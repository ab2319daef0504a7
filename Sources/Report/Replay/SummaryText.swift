public import ReplayPlan
import Trace

/// A run's result for people: verdict, success to error, latency, throughput, lag, what was inferred.
public struct SummaryText {
  private let summary: ReplaySummary

  /// Renders `summary`.
  public init(_ summary: ReplaySummary) { self.summary = summary }

  /// The lines, each with a line end.
  public var text: String {
    var lines = [verdict]
    lines += summary.reasons.map { "  " + $0 }
    lines.append("")
    lines += calls
    lines += latency
    lines += load
    lines += fidelity
    return lines.joined(separator: "\n") + "\n" + toolTable
  }

  private var verdict: String {
    if !summary.isValid {
      return "INVALID: the figures below do not show the server under this plan"
    }
    return summary.isDegraded ? "valid, but degraded" : "valid"
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
    if summary.skipped + summary.aborted > 0 {
      let parts =
        SkipReason.allCases.compactMap { reason in
          summary.skippedBy[reason].map { "\($0) skipped by \(reason.rawValue)" }
        } + (summary.aborted > 0 ? ["\(summary.aborted) aborted"] : [])
      lines.append(
        row("not sent", parts.joined(separator: ", ") + " of \(summary.plan.calls) planned"))
    }
    return lines + revisions
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
    let sent = summary.latency.fromSent
    let parts = [
      ("p50", sent.p50), ("p90", sent.p90), ("p99", sent.p99), ("max", sent.max),
    ].compactMap { name, value in
      value.map { "\(name) \(Format.duration(milliseconds: $0))" }
    }
    guard !parts.isEmpty else { return [] }
    let share = summary.within400ms.map { "; \(Format.percent($0)) within 400 ms" } ?? ""
    return [row("latency", parts.joined(separator: ", ") + share)]
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

  private var fidelity: [String] {
    var lines: [String] = []
    let lag = [("p50", summary.lag.p50), ("p99", summary.lag.p99), ("max", summary.lag.max)]
      .compactMap { name, value in value.map { "\(name) \(Format.duration(milliseconds: $0))" } }
    if !lag.isEmpty {
      lines.append(row("lag", lag.joined(separator: ", ") + " (the generator's own lateness)"))
    }
    if let exact = summary.fidelity.chainsExact {
      lines.append(row("chains", "\(Format.percent(exact)) of sessions exactly as planned"))
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
    func show(_ value: Double?) -> String {
      value.map { Format.duration(milliseconds: $0) } ?? "–"
    }
    for (name, tool) in tools.prefix(20) {
      table.add([
        name, "\(tool.calls)", "\(tool.succeeded)", "\(tool.calls - tool.succeeded)",
        show(tool.latency.p50),
        show(tool.latency.p99), show(tool.latency.max),
      ])
    }
    let more = tools.count > 20 ? "and \(tools.count - 20) more tools, see --summary\n" : ""
    return "\n" + table.text() + more
  }

  private func row(_ name: String, _ value: String) -> String {
    name + String(repeating: " ", count: max(1, 12 - name.count)) + value
  }
}
