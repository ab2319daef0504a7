import Glibc
import Histogram
import ReplayPlan

extension ReplaySummary.Quantiles {
  /// A quantile is shown when ten samples lie beyond it.
  private static let samplesBeyond = 10

  /// Reads a histogram of microseconds; `failures` count as infinitely long.
  init(_ histogram: Histogram<UInt32>, failures: Int = 0, isAdjusted: Bool = false) {
    self.init()
    let finite = Int(histogram.totalCount)
    n = finite + failures
    guard n > 0 else { return }
    let total = n
    func value(_ share: Double) -> Double? {
      let rank = Int((share * Double(total)).rounded(.up))
      guard total - rank >= ReplaySummary.Quantiles.samplesBeyond, rank <= finite, finite > 0
      else { return nil }
      return Double(histogram.valueAtPercentile(Double(rank) / Double(finite) * 100)) / 1000
    }
    p50 = value(0.5)
    p90 = value(0.9)
    p95 = value(0.95)
    p99 = value(0.99)
    p999 = value(0.999)
    if finite > 0, failures == 0 {
      max = Double(histogram.maxRecorded) / 1000
      mean = histogram.mean / 1000
    }
    if isAdjusted { infiniteFrom = Double(finite) / Double(n) }
  }
}

extension ReplaySummary.Spread {
  /// Reads a histogram of microseconds. Of few samples the tail is the largest: it judges the generator, and nothing is to be hidden.
  init(_ histogram: Histogram<UInt32>) {
    self.init()
    guard histogram.totalCount > 0 else { return }
    p50 = Double(histogram.valueAtPercentile(50)) / 1000
    p99 = Double(histogram.valueAtPercentile(99)) / 1000
    max = Double(histogram.maxRecorded) / 1000
  }

  /// Reads histograms of microseconds above and below zero.
  init(_ above: Histogram<UInt32>, below: Histogram<UInt32>) {
    self.init()
    let (low, high) = (Double(below.totalCount), Double(above.totalCount))
    guard low + high > 0 else { return }
    func value(_ share: Double) -> Double {
      let rank = (share * (low + high)).rounded(.up)
      if rank > low { return Double(above.valueAtPercentile((rank - low) / high * 100)) / 1000 }
      return -Double(below.valueAtPercentile((low - rank + 1) / low * 100)) / 1000
    }
    p50 = value(0.5)
    p99 = value(0.99)
    max = high > 0 ? Double(above.maxRecorded) / 1000 : -Double(below.min) / 1000
  }
}
