/// Events that come close together.
public enum BurstStatistics {
  /// Returns the sizes of the bursts in `times` (nanoseconds, in any order): runs of events of which each is less
  /// than `gap` nanoseconds after the one before it. In order of time; a lone event is a burst of 1.
  public static func sizes(times: [Int64], gap: Int64) -> [Int] {
    var sizes: [Int] = []
    var previous: Int64?
    for time in times.sorted() {
      if let previous, time &- previous < gap, let last = sizes.indices.last {
        sizes[last] += 1
      } else {
        sizes.append(1)
      }
      previous = time
    }
    return sizes
  }

  /// Returns the largest number of intervals that are open at once. An interval holds its start and not its end,
  /// but an empty one counts at its start.
  public static func peak(_ intervals: [(start: Int64, end: Int64)]) -> Int {
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
