/// Counts by 100 ms of the run; 40 bytes for each second of it.
public struct TimeBins: Sendable {
  /// Length of a bin, nanoseconds.
  public static let length: Int64 = 100_000_000
  /// 19 days; what comes later counts in the last one.
  static let limit = 1 << 24

  /// Events of each bin, up to the last one that has some.
  public private(set) var counts: [UInt32] = []

  /// Creates empty bins.
  public init() {}

  /// Counts an event at an instant of the run, nanoseconds.
  public mutating func add(at time: Int64) {
    let bin = TimeBins.number(time)
    if bin >= counts.count {
      counts.append(contentsOf: repeatElement(0, count: bin + 1 - counts.count))
    }
    counts[bin] &+= 1
  }

  /// Adds the counts of other bins.
  public mutating func merge(_ other: TimeBins) {
    if other.counts.count > counts.count {
      counts.append(contentsOf: repeatElement(0, count: other.counts.count - counts.count))
    }
    for i in other.counts.indices { counts[i] &+= other.counts[i] }
  }

  /// The number of the bin that holds an instant of the run.
  public static func number(_ time: Int64) -> Int { min(limit - 1, Int(max(0, time) / length)) }
}
