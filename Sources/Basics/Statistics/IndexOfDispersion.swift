/// How bursty a series of events is: variance over mean of the counts in windows of one length.
///
/// Theory: 1 for a Poisson process at every window length, below it for a regular one, above it for bursts. The
/// windows are laid end to end from the first event on; a last window that is not full is left out. With few
/// windows the figure says nothing, so there is none below `leastWindows`.
public enum IndexOfDispersion {
  /// The windows that figures are given for: name and nanoseconds.
  public static let windows: [(name: String, nanoseconds: Int64)] = [
    ("0.1s", 100_000_000), ("1s", 1_000_000_000), ("10s", 10_000_000_000), ("60s", 60_000_000_000),
  ]

  /// Fewer windows than this give no figure.
  public static let leastWindows: Int64 = 30

  /// Returns the index of `times` (nanoseconds, in any order) for windows of `window` nanoseconds, `nil` below
  /// `leastWindows` windows. O(n log n), whatever the number of windows.
  public static func of(times: [Int64], window: Int64) -> Double? {
    let times = times.sorted()
    guard window > 0, let first = times.first, let last = times.last else { return nil }
    let (span, overflow) = last.subtractingReportingOverflow(first)
    guard !overflow else { return nil }
    return of(times, from: first, windows: span / window, window: window)
  }

  /// The same for windows that are laid from `start` on; what was before is left out.
  public static func of(times: [Int64], window: Int64, from start: Int64) -> Double? {
    let times = times.filter { $0 >= start }.sorted()
    guard window > 0, let last = times.last else { return nil }
    let (span, overflow) = last.subtractingReportingOverflow(start)
    guard !overflow else { return nil }
    return of(times, from: start, windows: span / window, window: window)
  }

  private static func of(
    _ times: [Int64], from first: Int64, windows: Int64, window: Int64
  ) -> Double? {
    guard windows >= leastWindows else { return nil }
    var sum = 0.0
    var squares = 0.0
    var index: Int64 = 0
    var count = 0.0
    for time in times {
      let at = (time &- first) / window
      if at != index {
        squares += count * count
        index = at
        count = 0
      }
      guard at < windows else { break }
      count += 1
      sum += 1
    }
    squares += count * count
    return of(sum: sum, squares: squares, windows: windows)
  }

  /// Returns the index of counts in bins, for windows of `window` bins that lie within one of `ranges` of bins; `nil` below
  /// `leastWindows` windows, or of nothing.
  public static func of<Count: BinaryInteger>(
    counts: [Count], window: Int, within ranges: [Range<Int>]
  ) -> Double? {
    var windows: Int64 = 0
    var sum = 0.0
    var squares = 0.0
    for range in ranges {
      var at = range.lowerBound
      while at + window <= min(range.upperBound, counts.count) {
        var count = 0.0
        for bin in at..<at + window { count += Double(counts[bin]) }
        windows += 1
        sum += count
        squares += count * count
        at += window
      }
    }
    guard windows >= leastWindows, sum > 0 else { return nil }
    return of(sum: sum, squares: squares, windows: windows)
  }

  private static func of(sum: Double, squares: Double, windows: Int64) -> Double {
    let mean = sum / Double(windows)
    return (squares / Double(windows) - mean * mean) / mean
  }
}
