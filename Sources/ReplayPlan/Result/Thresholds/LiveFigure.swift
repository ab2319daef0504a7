import Trace

/// A figure that windows of a run have.
public struct LiveFigure: Hashable, Sendable {
  /// Times of which there are quantiles.
  public enum View: String, Hashable, Sendable {
    /// Of calls, from sending to the last byte.
    case fromSent = "from_sent"
    /// Of calls, from when they were due.
    case fromDue = "from_due"
    /// Of calls, from sending to the first byte.
    case firstByte = "first_byte"
    /// Of requests: written minus due.
    case lag
  }

  enum Kind: Hashable {
    case successRatio
    case errorRatio
    case newErrorRatio
    case within400ms
    case calls
    case rate
    case outcome(Outcome)
    case quantile(View, share: Double)
    case largest(View)
    case mean(View)
  }

  let kind: Kind
  /// The only tool that counts; `nil` for all.
  public let tool: String?

  /// Times that have to be kept for it.
  public var view: View? {
    switch kind {
    case .quantile(let view, _), .largest(let view), .mean(let view): view
    case .successRatio, .errorRatio, .newErrorRatio, .within400ms, .calls, .rate, .outcome: nil
    }
  }

  /// The figure at a path of the summary; `nil` for one that windows don't have.
  init?(_ path: [String], isComplement: Bool) {
    var path = path[...]
    if path.first == "tools", path.count > 2 {
      tool = path.dropFirst().first
      path = path.dropFirst(2)
      if path.first == "latency_ms" { path = ["latency_ms", "from_sent"] + path.dropFirst() }
    } else {
      tool = nil
    }
    switch Array(path) {
    case ["success_ratio"]: kind = isComplement ? .errorRatio : .successRatio
    case ["new_error_ratio"]: kind = .newErrorRatio
    case ["within_400ms"]: kind = .within400ms
    case ["calls"]: kind = .calls
    case ["throughput", "calls_per_s"]: kind = .rate
    default:
      if path.first == "outcomes", path.count == 2, let outcome = path.last.flatMap(Outcome.init) {
        kind = .outcome(outcome)
      } else if path.first == "latency_ms", path.count == 3,
        let view = View(rawValue: path.dropFirst().first ?? ""), view != .lag,
        let kind = LiveFigure.quantile(view, path.last ?? "")
      {
        self.kind = kind
      } else if path.first == "lag_ms", path.count == 2, tool == nil,
        let kind = LiveFigure.quantile(.lag, path.last ?? "")
      {
        self.kind = kind
      } else {
        return nil
      }
    }
  }

  private static func quantile(_ view: View, _ name: String) -> Kind? {
    switch name {
    case "p50": .quantile(view, share: 0.5)
    case "p90": .quantile(view, share: 0.9)
    case "p95": .quantile(view, share: 0.95)
    case "p99": .quantile(view, share: 0.99)
    case "p999": .quantile(view, share: 0.999)
    case "max": .largest(view)
    case "mean": .mean(view)
    default: nil
    }
  }

  /// The figure of a window of so many seconds; `nil` when it says nothing: no call, or none beyond the quantile.
  func value(_ counts: LiveCounts, seconds: Int) -> Double? {
    func share(_ count: Int) -> Double? {
      counts.calls > 0 ? Double(count) / Double(counts.calls) : nil
    }
    switch kind {
    case .successRatio: return share(counts.succeeded)
    case .errorRatio: return share(counts.calls - counts.succeeded)
    case .newErrorRatio: return share(counts.newErrors)
    case .within400ms: return share(counts.within400ms)
    case .calls: return Double(counts.calls)
    case .rate: return Double(counts.calls) / Double(seconds)
    case .outcome(let outcome): return Double(counts.outcomes[outcome, default: 0])
    case .quantile(_, let share): return counts.times.quantile(share).map { $0 / 1000 }
    case .largest: return counts.times.largest.map { Double($0) / 1000 }
    case .mean: return counts.times.mean.map { $0 / 1000 }
    }
  }
}
