public import Basics
import Glibc
import Trace

/// What two runs, or two recordings, are compared by.
public struct ComparedRun: Sendable {
  /// Calls, and what of them was good.
  public struct Calls: Hashable, Sendable {
    /// Calls.
    public var count = 0
    /// Those that succeeded.
    public var succeeded = 0
    /// Those that succeeded within 400 ms.
    public var within400ms = 0
    /// Milliseconds from sending to the last byte.
    public var latency = QuantileRange(count: 0, [])
  }

  /// All calls.
  public var calls = Calls()
  /// By tool.
  public var tools: [String: Calls] = [:]
  /// Calls in a second.
  public var callsPerSecond: Double?
  /// SHA-256 of the plan; `nil` of a recording.
  public var plan: String?
  /// Why it can't be compared; `nil` when it can.
  public var trouble: String?

  private static let quantiles: [(name: String, share: Double)] = [
    ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999), ("max", 1),
  ]

  /// Reads `summary.json`; `nil` when it is none.
  public init?(summary: JSONValue) {
    guard let isValid = summary["valid"]?.bool, summary["latency_ms"]?["from_sent"] != nil,
      let sent = summary["sent"]?.int
    else { return nil }
    calls.count = Int(sent)
    calls.succeeded = ComparedRun.part(summary["success_ratio"], of: calls.count)
    calls.within400ms = ComparedRun.part(summary["within_400ms"], of: calls.count)
    calls.latency = ComparedRun.latency(summary["latency_ms"]?["from_sent"])
    for tool in summary["tools"]?.members ?? [] {
      var figures = Calls()
      figures.count = Int(tool.value["calls"]?.int ?? 0)
      figures.succeeded = ComparedRun.part(tool.value["success_ratio"], of: figures.count)
      figures.within400ms = ComparedRun.part(tool.value["within_400ms"], of: figures.count)
      figures.latency = ComparedRun.latency(tool.value["latency_ms"])
      tools[tool.key] = figures
    }
    callsPerSecond = summary["throughput"]?["calls_per_s"]?.double
    plan = summary["plan"]?["digest"]?.string
    if !isValid {
      trouble =
        "its result is invalid: "
        + (summary["reasons"]?.array?.compactMap(\.string).first ?? "see its reasons")
    } else if calls.count == 0 {
      trouble = "it has no call"
    }
  }

  /// Takes the calls of a trace.
  public init(_ contents: TraceContents) {
    let all = contents.sessions.flatMap(\.calls)
    calls = ComparedRun.calls(all)
    tools = Dictionary(grouping: all, by: \.tool).mapValues(ComparedRun.calls)
    let first = all.map(\.start).min() ?? 0
    let last = all.map { $0.done ?? $0.start }.max() ?? 0
    if last > first { callsPerSecond = Double(all.count) / (Double(last - first) / 1e9) }
    if all.isEmpty { trouble = "it has no call" }
  }

  private static func calls(_ all: [LogicalCall]) -> Calls {
    var figures = Calls()
    figures.count = all.count
    var times: [Double] = []
    for call in all {
      let took = Double(call.done.map { $0 - call.start } ?? .max) / 1e6
      times.append(took)
      guard call.outcome == .ok else { continue }
      figures.succeeded += 1
      if took <= 400 { figures.within400ms += 1 }
    }
    times.sort()
    // As in a summary: a quantile is known when ten values lie beyond it.
    figures.latency = QuantileRange(
      count: times.count,
      (1..<200).map { Double($0) / 200 }.compactMap { share in
        let rank = max(1, Int((share * Double(times.count)).rounded(.up)))
        return times.count - rank >= 10 ? (share, times[rank - 1]) : nil
      } + (times.last.map { [(1, $0)] } ?? []))
    return figures
  }

  private static func part(_ share: JSONValue?, of count: Int) -> Int {
    Int(((share?.double ?? 0) * Double(count)).rounded())
  }

  private static func latency(_ value: JSONValue?) -> QuantileRange {
    QuantileRange(
      count: Int(value?["n"]?.int ?? 0),
      quantiles.compactMap { name, share in
        value?[name]?.double.map { (share, $0) }
      })
  }
}
