import Glibc
import ReplayPlan

/// Requests by 100 ms of the run.
struct Bins {
  private let sent: [Int]
  private let due: [Int]

  /// Fewest windows that a dispersion is given for.
  private static let fewestWindows = 30

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

  /// Variance by mean of the counts in windows of `window` bins.
  func indexOfDispersion(window: Int) -> Double? {
    let windows = sent.count / window
    guard windows >= Bins.fewestWindows else { return nil }
    let counts = (0..<windows).map { at in
      Double(sent[at * window..<(at + 1) * window].reduce(0, +))
    }
    let mean = counts.reduce(0, +) / Double(windows)
    guard mean > 0 else { return nil }
    let variance =
      counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(windows - 1)
    return variance / mean
  }
}
