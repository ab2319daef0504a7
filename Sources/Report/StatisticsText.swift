public import Analysis
import Trace

/// The figures of a trace as tables.
public enum StatisticsText {
  /// Chains that are listed.
  public static let chainLimit = 20

  /// Returns the tables.
  public static func text(_ figures: TraceStatistics) -> String {
    var out = ""
    let inferred = figures.sessions.count - figures.explicitSessions
    out += "\(Format.count(figures.sessions.count, "session"))"
    if inferred > 0 { out += " (\(inferred) inferred)" }
    out += ", \(Format.count(figures.calls, "call"))"
    out += ", \(Format.count(figures.httpRequests, "HTTP request"))"
    out += " in \(Format.duration(nanoseconds: figures.span))\n"
    if let ratio = figures.successRatio {
      let failures = Outcome.allCases.filter { $0 != .ok }.compactMap { outcome in
        figures.outcomes[outcome].map { "\(outcome.rawValue) \($0)" }
      }
      out += "success \(Format.percent(ratio))"
      out += failures.isEmpty ? "\n" : "; \(failures.joined(separator: ", "))\n"
    }
    out += "at once: \(Format.count(figures.peakCalls, "call")) in flight, "
    out += "\(Format.count(figures.peakSessions, "session")) open\n"
    if let share = figures.waitsOnOrder {
      out += "waits inferred from the order alone: \(Format.percent(share))\n"
    }
    out += "\n" + distributions(figures) + "\n" + dispersion(figures)
    out += section("tools", tools(figures)) + section("requests", requests(figures))
    out += section("chains", chains(figures)) + section("losses", losses(figures))
    return out
  }

  private static func section(_ title: String, _ table: Table) -> String {
    table.isEmpty ? "" : "\n\(title)\n" + table.text(indent: 2)
  }

  private static func cells(_ distribution: Distribution, _ format: (Double) -> String) -> [String]
  {
    if distribution.count == 0 { return ["0"] + Array(repeating: "-", count: 6) }
    let figures = [
      distribution.p50, distribution.p90, distribution.p95, distribution.p99, distribution.max,
      distribution.mean,
    ]
    return ["\(distribution.count)"] + figures.map(format)
  }

  private static func distributions(_ figures: TraceStatistics) -> String {
    var table = Table([
      .text(""), .number("n"), .number("p50"), .number("p90"), .number("p95"), .number("p99"),
      .number("max"), .number("mean"),
    ])
    let plain: (Double) -> String = { Format.decimal($0, digits: 1) }
    let time: (Double) -> String = { Format.duration(milliseconds: $0) }
    table.add(["calls per session"] + cells(figures.callsPerSession, plain))
    table.add(["turns per session"] + cells(figures.turnsPerSession, plain))
    table.add(["calls per turn"] + cells(figures.fanOut, plain))
    table.add(["think time"] + cells(figures.think, time))
    table.add(["service time"] + cells(figures.service, time))
    table.add(["burst, calls < 1 s apart"] + cells(figures.burstsWithin1s, plain))
    table.add(["burst, calls < 10 s apart"] + cells(figures.burstsWithin10s, plain))
    return table.text()
  }

  private static func dispersion(_ figures: TraceStatistics) -> String {
    let cells = figures.dispersion.map { entry in
      "\(entry.window) " + (entry.index.map { Format.decimal($0, digits: 2) } ?? "-")
    }
    let known = figures.dispersion.contains { $0.index != nil }
    return "index of dispersion of requests: " + cells.joined(separator: ", ")
      + (known ? "" : " (too short: 30 windows are needed)") + "\n"
  }

  private static func tools(_ figures: TraceStatistics) -> Table {
    var table = Table([
      .text("tool", limit: 40), .number("calls"), .number("ok"), .number("tool_error"),
      .number("other"), .number("p50"), .number("p95"), .number("max"),
    ])
    for (name, tool) in figures.tools.sorted(by: {
      ($1.value.calls, $0.key) < ($0.value.calls, $1.key)
    }) {
      let ok = tool.outcomes[.ok] ?? 0
      let errors = tool.outcomes[.toolError] ?? 0
      let times = [tool.service.p50, tool.service.p95, tool.service.max].map {
        tool.service.count == 0 ? "-" : Format.duration(milliseconds: $0)
      }
      table.add(
        [name, "\(tool.calls)", "\(ok)", "\(errors)", "\(tool.calls - ok - errors)"] + times)
    }
    return table
  }

  private static func requests(_ figures: TraceStatistics) -> Table {
    var table = Table([.text("method"), .number("requests")])
    for (method, count) in figures.requests.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) })
    {
      table.add([method, "\(count)"])
    }
    return table
  }

  private static func chains(_ figures: TraceStatistics) -> Table {
    var table = Table([.number("sessions"), .text("chain", limit: 88)])
    for entry in figures.chains.prefix(chainLimit) { table.add(["\(entry.count)", entry.chain]) }
    let hidden = figures.chains.count - chainLimit
    if hidden > 0 { table.add(["", "… \(hidden) more chains (--json lists all)"]) }
    return table
  }

  private static func losses(_ figures: TraceStatistics) -> Table {
    var table = Table([.text("kind"), .number("times"), .number("bytes")])
    for (kind, loss) in figures.loss.sorted(by: { $0.key < $1.key }) {
      table.add([kind, "\(loss.count)", "\(loss.bytes)"])
    }
    return table
  }
}
