/// Quantiles of a sample, exact: the smallest value that at least that share of the sample does not exceed.
public struct Distribution: Hashable, Sendable {
  /// Number of values.
  public let count: Int
  /// Half of the values are not larger; like the others 0 when there are no values.
  public let p50: Double
  /// 90 % are not larger.
  public let p90: Double
  /// 95 % are not larger.
  public let p95: Double
  /// 99 % are not larger.
  public let p99: Double
  /// The largest value.
  public let max: Double
  /// The arithmetic mean.
  public let mean: Double

  /// Describes `values`, in any order. O(n log n).
  public init(_ values: [Double]) {
    let sorted = values.sorted()
    count = sorted.count
    p50 = Distribution.quantile(sorted, percent: 50)
    p90 = Distribution.quantile(sorted, percent: 90)
    p95 = Distribution.quantile(sorted, percent: 95)
    p99 = Distribution.quantile(sorted, percent: 99)
    max = sorted.last ?? 0
    mean = sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count)
  }

  /// Describes counts.
  public init(counts: [Int]) { self.init(counts.map { Double($0) }) }

  /// Describes times given in nanoseconds, in milliseconds.
  public init(milliseconds nanoseconds: [Int64]) {
    self.init(nanoseconds.map { Double($0) / 1_000_000 })
  }

  /// The nearest rank: element number ⌈p·n⌉ from 1.
  private static func quantile(_ sorted: [Double], percent: Int) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let rank = (sorted.count * percent + 99) / 100
    return sorted[Swift.max(1, rank) - 1]
  }
}
