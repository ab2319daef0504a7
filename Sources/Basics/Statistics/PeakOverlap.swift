/// How much goes on at once.
public enum PeakOverlap {
  /// Returns the largest number of intervals that are open at once. An interval holds its start and not its end,
  /// but an empty one counts at its start. O(n log n).
  public static func of(_ intervals: [(start: Int64, end: Int64)]) -> Int {
    var steps: [(time: Int64, change: Int)] = []
    steps.reserveCapacity(intervals.count * 2)
    for interval in intervals {
      steps.append((interval.start, 1))
      steps.append((max(interval.end, interval.start &+ 1), -1))
    }
    steps.sort { ($0.time, $0.change) < ($1.time, $1.change) }
    var open = 0
    var peak = 0
    for step in steps {
      open += step.change
      peak = max(peak, open)
    }
    return peak
  }
}
