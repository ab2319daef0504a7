import Glibc

/// Known quantiles of a distribution, and between which values a quantile of what they were drawn from lies 19 times in 20.
///
/// By the binomial distribution of ranks, which needs nothing of the distribution: the quantile p of n values lies between those at
/// p ± 1.96 √(p(1−p)/n). What lies between the known quantiles is interpolated on a logarithmic scale.
public struct QuantileRange: Hashable, Sendable {
  /// Number of values.
  public let count: Int
  private let known: [Point]

  private struct Point: Hashable {
    var share: Double
    var value: Double
  }

  /// Takes quantiles by their share, each with its value above 0.
  public init(count: Int, _ quantiles: [(share: Double, value: Double)]) {
    self.count = count
    known = quantiles.sorted { $0.share < $1.share }.map {
      Point(share: $0.share, value: max($0.value, 1e-6))
    }
  }

  /// The known value at a share.
  public func value(_ share: Double) -> Double? { known.first { $0.share == share }?.value }

  /// Where the quantile lies; `nil` where the known ones do not reach so far.
  public func range(_ share: Double) -> ClosedRange<Double>? {
    guard count > 0, value(share) != nil else { return nil }
    let half = 1.959964 * (share * (1 - share) / Double(count)).squareRoot()
    guard let high = interpolated(share + half) else { return nil }
    // Below the first known one nothing is known: as far as above it, by the same factor.
    let value = value(share) ?? high
    let low = interpolated(share - half) ?? value * value / high
    return min(low, high)...high
  }

  private func interpolated(_ share: Double) -> Double? {
    guard let after = known.firstIndex(where: { $0.share >= share }) else { return nil }
    if known[after].share == share { return known[after].value }
    guard after > 0 else { return nil }
    let (a, b) = (known[after - 1], known[after])
    let part = (share - a.share) / (b.share - a.share)
    return a.value * pow(b.value / a.value, part)
  }
}
