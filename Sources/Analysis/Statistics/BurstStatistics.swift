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
}
