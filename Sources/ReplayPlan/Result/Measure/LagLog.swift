/// The lag of every request with its 100 ms window, so that the busiest windows have a figure of their own.
///
/// An entry is four bytes: the window, and the lag as a code of eight bits (eight steps an octave, so 9 % wide, from 1 µs on). When
/// there are `limit` entries, those of the quieter windows go: memory is bounded, and the busiest stay.
public struct LagLog: Sendable {
  /// Entries, 4 MB.
  public static let limit = 1 << 20
  private static let stepsPerOctave = 3

  private var entries: [UInt32] = []

  /// Creates an empty log.
  public init() {}

  /// Adds a request that was sent at `time` of the run; `bins` count all that were sent.
  public mutating func add(at time: Int64, microseconds: UInt64, _ bins: TimeBins) {
    if entries.count >= LagLog.limit { trim(bins) }
    entries.append(UInt32(TimeBins.number(time)) << 8 | UInt32(LagLog.code(microseconds)))
  }

  /// Adds what another loop logged.
  public mutating func merge(_ other: LagLog) { entries += other.entries }

  /// Keeps the busiest windows, up to half of the limit.
  private mutating func trim(_ bins: TimeBins) {
    let counts = bins.counts
    var room = LagLog.limit / 2
    var isKept = Array(repeating: false, count: counts.count)
    for window in counts.indices.sorted(by: { (counts[$1], $0) < (counts[$0], $1) }) {
      room -= Int(counts[window])
      guard room >= 0, counts[window] > 0 else { break }
      isKept[window] = true
    }
    entries.removeAll { !isKept[Int($0 >> 8)] }
  }

  /// The 99th percentile of lag in the busiest 1 % of windows, at least one, in milliseconds; of windows that are as busy the earlier.
  public func busiestP99(_ bins: TimeBins) -> Double? {
    let used = bins.counts.indices.filter { bins.counts[$0] > 0 }
    let busiest = used.sorted { (bins.counts[$1], $0) < (bins.counts[$0], $1) }
    let chosen = Set(busiest.prefix(max(1, used.count / 100)))
    let codes = entries.filter { chosen.contains(Int($0 >> 8)) }.map { UInt8($0 & 0xff) }.sorted()
    guard !codes.isEmpty else { return nil }
    let rank = (codes.count * 99 + 99) / 100
    return LagLog.microseconds(codes[max(1, rank) - 1]) / 1000
  }

  /// The code of a lag; 0 to 7 µs are their own codes.
  public static func code(_ microseconds: UInt64) -> UInt8 {
    guard microseconds >= 8 else { return UInt8(microseconds) }
    let octave = 63 - microseconds.leadingZeroBitCount
    let step = (microseconds >> UInt64(octave - stepsPerOctave)) & 7
    return UInt8(min(255, (octave - 2) * 8 + Int(step)))
  }

  /// The upper end of a code's range.
  public static func microseconds(_ code: UInt8) -> Double {
    guard code >= 8 else { return Double(code) }
    let octave = Int(code) / 8 + 2
    let width = UInt64(1) << UInt64(octave - stepsPerOctave)
    return Double((8 + UInt64(code) % 8) * width + width - 1)
  }
}
