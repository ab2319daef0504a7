public import Analysis
public import Basics
import Trace

/// The figures of a trace as JSON with stable keys.
public enum StatisticsJSON {
  /// Returns the object; times are milliseconds, absent figures `null`.
  public static func value(_ figures: TraceStatistics, file: String) -> JSONValue {
    let bursts: [JSONValue.Member] = [
      .init("1s", json(figures.burstsWithin1s)), .init("10s", json(figures.burstsWithin10s)),
    ]
    let tools = figures.tools.sorted { $0.key < $1.key }
    let chains = figures.chains.map {
      object([.init("chain", .string($0.chain)), .init("count", .int($0.count))])
    }
    return object([
      .init("file", .string(file)),
      .init("recorder", text(figures.header?.recorder)),
      .init("source", text(figures.header?.source.rawValue)),
      .init("t0", text(figures.header?.t0.description)),
      .init("span_ms", number(Double(figures.span) / 1_000_000)),
      .init("torn_tail_bytes", .int(figures.tornTail)),
      .init("sessions", .int(figures.sessions.count)),
      .init("sessions_explicit", .int(figures.explicitSessions)),
      .init("http_requests", .int(figures.httpRequests)),
      .init("requests", counters(figures.requests)),
      .init("calls", .int(figures.calls)),
      .init("tools_calls", .int(figures.requests["tools/call"] ?? 0)),
      .init("calls_per_session", json(figures.callsPerSession)),
      .init("turns_per_session", json(figures.turnsPerSession)),
      .init("fan_out", json(figures.fanOut)),
      .init("think_ms", json(figures.think)),
      .init("service_ms", json(figures.service)),
      .init("burst_sizes", .object(bursts)),
      .init("idc", object(figures.dispersion.map { .init($0.window, number($0.index)) })),
      .init(
        "peak_concurrency",
        object([
          .init("calls", .int(figures.peakCalls)), .init("sessions", .int(figures.peakSessions)),
        ])),
      .init("outcomes", json(figures.outcomes)),
      .init("success_ratio", number(figures.successRatio)),
      .init("tools", object(tools.map { .init($0.key, json($0.value)) })),
      .init("chains", .array(chains)),
      .init("waits_on_order", number(figures.waitsOnOrder)),
      .init("per_session", .array(figures.sessions.map(json))),
      .init("loss", json(figures.loss)),
    ])
  }

  private static func json(_ session: SessionSummary) -> JSONValue {
    object([
      .init("session", .string(session.name)),
      .init("key", text(session.key?.by.rawValue)),
      .init("key_value", text(session.key?.value)),
      .init("confidence", number(session.key?.confidence)),
      .init("start", text(session.start?.rawValue)),
      .init("end", text(session.end?.rawValue)),
      .init("turns", .int(session.turns)),
      .init("calls", .int(session.calls)),
      .init("tools_call", .array(session.toolsCalled.map { .string($0) })),
      .init("http_requests", .int(session.httpRequests)),
    ])
  }

  private static func json(_ tool: TraceStatistics.Tool) -> JSONValue {
    object([
      .init("calls", .int(tool.calls)), .init("outcomes", json(tool.outcomes)),
      .init("service_ms", json(tool.service)),
    ])
  }

  private static func json(_ distribution: Distribution) -> JSONValue {
    func figure(_ value: Double) -> JSONValue {
      distribution.count == 0 ? .null : number(value)
    }
    return object([
      .init("n", .int(distribution.count)), .init("p50", figure(distribution.p50)),
      .init("p90", figure(distribution.p90)), .init("p95", figure(distribution.p95)),
      .init("p99", figure(distribution.p99)), .init("max", figure(distribution.max)),
      .init("mean", figure(distribution.mean)),
    ])
  }

  private static func json(_ outcomes: [Outcome: Int]) -> JSONValue {
    object(Outcome.allCases.map { .init($0.rawValue, .int(outcomes[$0] ?? 0)) })
  }

  private static func json(_ loss: [String: FooterLine.Loss]) -> JSONValue {
    object(
      loss.sorted { $0.key < $1.key }.map { kind, loss in
        .init(kind, object([.init("count", .int(loss.count)), .init("bytes", .int(loss.bytes))]))
      })
  }

  private static func counters(_ counts: [String: Int]) -> JSONValue {
    object(counts.sorted { $0.key < $1.key }.map { .init($0.key, .int($0.value)) })
  }

  private static func object(_ members: [JSONValue.Member]) -> JSONValue { .object(members) }

  private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

  /// Six decimals: a nanosecond of a millisecond.
  private static func number(_ value: Double?) -> JSONValue {
    value.map { .number(Format.decimal($0, digits: 6)) } ?? .null
  }
}
