import Glibc

/// Two runs side by side: the ratio of success first, then latency, then throughput; and which differences are real.
public struct RunComparison: Sendable {
  /// What a difference is.
  public enum Verdict: String, Hashable, Sendable {
    /// It may be chance, or it is too small to matter.
    case same
    /// It is real, and good.
    case better
    /// It is real, and bad.
    case worse
    /// There are too few calls to say.
    case unknown
  }

  /// One figure of both.
  public struct Row: Hashable, Sendable {
    /// What is compared.
    public var name: String
    /// Of the first, in the unit of `isTime`.
    public var first: Double?
    /// Of the second.
    public var second: Double?
    /// Milliseconds; else a share, or calls in a second where `isRate`.
    public var isTime = false
    /// Calls in a second.
    public var isRate = false
    /// The difference in words, with its range.
    public var difference = ""
    /// What it is.
    public var verdict: Verdict
  }

  /// Smaller differences of latency and throughput than this share are the same for all that matters.
  private static let relevant = 0.05

  /// Figures of all calls, then of those tools that have a real difference.
  public private(set) var rows: [Row] = []
  /// Why the two can't be compared; `nil` when they can.
  public private(set) var trouble: String?
  /// True when both carried out the same plan, or neither had one.
  public let isSamePlan: Bool

  /// True when something got worse.
  public var isRegression: Bool { rows.contains { $0.verdict == .worse } }

  /// Compares `second` with `first`.
  public init(_ first: ComparedRun, _ second: ComparedRun) {
    isSamePlan = first.plan == second.plan
    trouble =
      first.trouble.map { "of the first, " + $0 } ?? second.trouble.map { "of the second, " + $0 }
    rows += RunComparison.rows(first.calls, second.calls, "")
    rows.append(throughput(first, second))
    for tool in Set(first.tools.keys).intersection(second.tools.keys).sorted() {
      guard let a = first.tools[tool], let b = second.tools[tool] else { continue }
      rows += RunComparison.rows(a, b, "\(tool): ").filter {
        $0.verdict == .worse || $0.verdict == .better
      }
    }
  }

  private static func rows(
    _ a: ComparedRun.Calls, _ b: ComparedRun.Calls, _ prefix: String
  ) -> [Row] {
    var rows = [
      share("\(prefix)success ratio", a.succeeded, a.count, b.succeeded, b.count),
      share("\(prefix)within 400 ms", a.within400ms, a.count, b.within400ms, b.count),
    ]
    for (name, at) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
      rows.append(latency("\(prefix)latency \(name)", at, a.latency, b.latency))
    }
    return rows
  }

  private static func share(_ name: String, _ k: Int, _ n: Int, _ m: Int, _ l: Int) -> Row {
    var row = Row(
      name: name, first: n > 0 ? Double(k) / Double(n) : nil,
      second: l > 0 ? Double(m) / Double(l) : nil, verdict: .unknown)
    guard let difference = ProportionDifference(k, of: n, m, of: l) else { return row }
    func points(_ value: Double) -> String {
      let rounded = (value * 1000).rounded() / 10
      return (rounded > 0 ? "+" : "") + "\(rounded == 0 ? 0 : rounded)"
    }
    row.difference =
      "\(points(difference.value)) points (\(points(difference.low)) to \(points(difference.high)))"
    row.verdict = !difference.isReal ? .same : difference.value > 0 ? .better : .worse
    return row
  }

  private static func latency(
    _ name: String, _ at: Double, _ a: QuantileRange, _ b: QuantileRange
  ) -> Row {
    var row = Row(
      name: name, first: a.value(at), second: b.value(at), isTime: true, verdict: .unknown)
    guard let x = row.first, let y = row.second, x > 0 else { return row }
    let change = (y - x) / x
    row.difference = (change >= 0 ? "+" : "") + "\((change * 1000).rounded() / 10) %"
    guard let p = a.range(at), let q = b.range(at) else { return row }
    let isReal = !p.overlaps(q) && abs(change) > relevant
    row.verdict = !isReal ? .same : change < 0 ? .better : .worse
    return row
  }

  private func throughput(_ first: ComparedRun, _ second: ComparedRun) -> Row {
    var row = Row(
      name: "calls per second", first: first.callsPerSecond, second: second.callsPerSecond,
      isRate: true, verdict: .unknown)
    guard let a = row.first, let b = row.second, a > 0 else { return row }
    let change = (b - a) / a
    row.difference = (change >= 0 ? "+" : "") + "\((change * 1000).rounded() / 10) %"
    // Another plan has another rate; that is no one's doing.
    guard isSamePlan else { return row }
    row.verdict = abs(change) <= RunComparison.relevant ? .same : change > 0 ? .better : .worse
    return row
  }
}
