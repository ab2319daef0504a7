import Glibc

/// The difference of two shares, with the range in which it lies 19 times in 20.
///
/// Newcombe's method 10 (Statistics in Medicine 17, 1998): from the Wilson intervals of both; right also for few and for shares near 0 or 1.
public struct ProportionDifference: Hashable, Sendable {
  /// Second minus first.
  public let value: Double
  /// Lower end.
  public let low: Double
  /// Upper end.
  public let high: Double

  /// Compares `k` of `n` with `m` of `l`; `nil` when there is nothing in one of them.
  public init?(_ k: Int, of n: Int, _ m: Int, of l: Int) {
    guard n > 0, l > 0 else { return nil }
    let (p, q) = (Double(k) / Double(n), Double(m) / Double(l))
    let (a, b) = (Self.wilson(p, n), Self.wilson(q, l))
    value = q - p
    low = value - ((q - b.low) * (q - b.low) + (a.high - p) * (a.high - p)).squareRoot()
    high = value + ((b.high - q) * (b.high - q) + (p - a.low) * (p - a.low)).squareRoot()
  }

  /// True when it is no accident.
  public var isReal: Bool { low > 0 || high < 0 }

  private static func wilson(_ p: Double, _ count: Int) -> (low: Double, high: Double) {
    let z = 1.959964
    let n = Double(count)
    let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return (max(0, middle - half), min(1, middle + half))
  }
}
