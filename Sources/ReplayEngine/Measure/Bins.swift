import Basics
import Glibc
import ReplayPlan

/// Requests by 100 ms of the run.
struct Bins {
  private let sent: [Int]
  private let due: [Int]

  init(sent: TimeBins, due: TimeBins) {
    let count = max(sent.counts.count, due.counts.count)
    self.sent = (0..<count).map { $0 < sent.counts.count ? Int(sent.counts[$0]) : 0 }
    self.due = (0..<count).map { $0 < due.counts.count ? Int(due.counts[$0]) : 0 }
  }

  /// Windows of 100 ms.
  var count: Int { sent.count }

  /// Root mean square of sent minus due, as a share of the busiest due bin.
  var executionRMSE: Double? {
    guard let peak = due.max(), peak > 0 else { return nil }
    let squares = zip(sent, due).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    return (squares / Double(sent.count)).squareRoot() / Double(peak)
  }

  /// For each of the usual windows, of those that lie within one of `times`, nanoseconds.
  func indicesOfDispersion(within times: [Range<Int64>]) -> [Double?] {
    let ranges = times.map { range in
      let end = Int(min(range.upperBound / TimeBins.length, Int64(sent.count)))
      return min(Int(range.lowerBound / TimeBins.length), end)..<end
    }
    return IndexOfDispersion.windows.map {
      IndexOfDispersion.of(
        counts: sent, window: Int($0.nanoseconds / TimeBins.length), within: ranges)
    }
  }
}
