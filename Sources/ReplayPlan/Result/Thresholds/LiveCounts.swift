import Glibc
public import Trace

/// What ended in a second, or in a window, of a run: what one windowed threshold is judged by.
public struct LiveCounts: Sendable {
  /// Calls that ended.
  public var calls = 0
  /// Those that succeeded.
  public var succeeded = 0
  /// Those that failed and had succeeded in the recording.
  public var newErrors = 0
  /// Those that succeeded within 400 ms.
  public var within400ms = 0
  /// How they ended.
  public var outcomes: [Outcome: Int] = [:]
  /// Times, where the threshold is about times.
  public var times = TimeHistogram()

  /// Creates zeros.
  public init() {}

  /// Adds what ended elsewhere, or in another second.
  public mutating func add(_ other: LiveCounts) {
    calls += other.calls
    succeeded += other.succeeded
    newErrors += other.newErrors
    within400ms += other.within400ms
    outcomes.merge(other.outcomes, uniquingKeysWith: +)
    times.add(other.times)
  }
}

/// Times within 0.8 %: 128 steps an octave, from 1 µs to an hour. Takes no room while it is empty.
public struct TimeHistogram: Sendable {
  private static let bits = 7
  private static let limit: UInt64 = 3_600_000_000

  private var counts: [UInt32] = []
  private var total = 0
  private var sum = 0.0
  /// The largest, microseconds; `nil` of nothing.
  public private(set) var largest: UInt64?

  /// Creates an empty histogram.
  public init() {}

  /// Adds a time in microseconds.
  public mutating func add(_ microseconds: UInt64) {
    let time = min(microseconds, TimeHistogram.limit)
    let place = TimeHistogram.place(time)
    if place >= counts.count {
      counts.append(contentsOf: repeatElement(0, count: place + 1 - counts.count))
    }
    counts[place] &+= 1
    total += 1
    sum += Double(time)
    largest = max(largest ?? 0, time)
  }

  /// Adds the times of another histogram.
  public mutating func add(_ other: TimeHistogram) {
    if other.counts.count > counts.count {
      counts.append(contentsOf: repeatElement(0, count: other.counts.count - counts.count))
    }
    for i in other.counts.indices { counts[i] &+= other.counts[i] }
    total += other.total
    sum += other.sum
    if let more = other.largest { largest = max(largest ?? 0, more) }
  }

  /// The average in microseconds; `nil` of nothing.
  public var mean: Double? { total > 0 ? sum / Double(total) : nil }

  /// The time in microseconds that so large a share does not exceed; `nil` when not one time lies beyond it.
  public func quantile(_ share: Double) -> Double? {
    guard Double(total) * (1 - share) >= 1 - 1e-9 else { return nil }
    var left = Int((Double(total) * share).rounded(.up))
    for (place, count) in counts.enumerated() {
      left -= Int(count)
      if left <= 0 { return TimeHistogram.time(place) }
    }
    return largest.map(Double.init)
  }

  private static func place(_ time: UInt64) -> Int {
    guard time >= 1 << UInt64(bits + 1) else { return Int(time) }
    let octave = 63 - time.leadingZeroBitCount
    let step = Int(time >> UInt64(octave - bits)) & ((1 << bits) - 1)
    return (1 << (bits + 1)) + (octave - bits - 1) << bits + step
  }

  /// The middle of a place's range.
  private static func time(_ place: Int) -> Double {
    let small = 1 << (bits + 1)
    guard place >= small else { return Double(place) }
    let octave = (place - small) >> bits + bits + 1
    let step = (place - small) & ((1 << bits) - 1)
    let width = Double(UInt64(1) << UInt64(octave - bits))
    return (Double((1 << bits) + step) + 0.5) * width
  }
}
