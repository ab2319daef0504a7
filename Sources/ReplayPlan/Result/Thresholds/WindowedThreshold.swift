import Glibc

/// A threshold that every full window of the run has to hold; windows begin with each second.
///
/// The caller adds the seconds in order. A window that says nothing (no call ended in it) is neither good nor bad.
public struct WindowedThreshold: Sendable {
  /// What is demanded.
  public let threshold: Threshold
  /// What has to be counted for it.
  public let figure: LiveFigure
  private let window: Int
  /// The last `window` seconds.
  private var seconds: [LiveCounts] = []
  private var count = 0
  private var worst: (value: Double, from: Int)?

  /// The first window that did not hold, as a sentence; `nil` while all do.
  public private(set) var miss: String?

  /// Creates it before the run; `nil` for a threshold without windows.
  public init?(_ threshold: Threshold) {
    guard let window = threshold.window, let figure = threshold.live else { return nil }
    self.threshold = threshold
    self.figure = figure
    self.window = window
  }

  /// Takes the next second of the run.
  public mutating func add(_ second: LiveCounts) {
    if seconds.count < window { seconds.append(second) } else { seconds[count % window] = second }
    count += 1
    guard count >= window else { return }
    var sum = LiveCounts()
    for second in seconds { sum.add(second) }
    guard let value = figure.value(sum, seconds: window) else { return }
    let from = count - window
    let isWorse = worst.map {
      threshold.comparison.worseIsLarger ? value > $0.value : value < $0.value
    }
    // Of `==` and `!=` the first window that does not hold is the worst.
    let isOrdered = threshold.comparison != .equal && threshold.comparison != .notEqual
    let counts = isOrdered ? isWorse ?? true : miss == nil
    if counts { worst = (value, from) }
    if miss == nil, !threshold.comparison.holds(value, threshold.limit) {
      miss =
        "\(threshold.expression): it was \(rounded(value)) from second \(from) to \(from + window)"
    }
  }

  /// What came of it.
  public var result: ReplaySummary.ThresholdResult {
    guard let worst else {
      return .init(
        expression: threshold.expression, isMet: false, value: nil, limit: threshold.limit,
        note: count < window
          ? "the run was shorter than one window" : "no window had enough calls")
    }
    return .init(
      expression: threshold.expression, isMet: miss == nil, value: worst.value,
      limit: threshold.limit, note: "worst window: second \(worst.from) to \(worst.from + window)")
  }

  private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
