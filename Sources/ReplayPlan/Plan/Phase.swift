/// How far a copy's start may move.
///
/// Within a window (at most the recording), modulo the recording's length; whole days are added when it is longer than a day,
/// so that nights stay nights. Where the start rate is constant the whole recording is the window.
struct Phase {
  private static let day: Int64 = 86_400_000_000_000
  private let length: Int64
  private let window: Int64

  init(_ traffic: RecordedTraffic, window: Int64) {
    length = traffic.length
    self.window = Phase.hasConstantRate(traffic) ? length : min(window, length)
  }

  func moved(_ start: Int64, _ random: inout SplitMix64) -> Int64 {
    guard length > 0 else { return start }
    var moved = start + random.below(window) - window / 2
    if length > Phase.day { moved += random.below(length / Phase.day) * Phase.day }
    return ((moved % length) + length) % length
  }

  /// Chi-square test over ten equal bins against a uniform rate (16.9: the 95 % point of nine degrees of freedom); fewer
  /// than 50 starts prove nothing.
  private static func hasConstantRate(_ traffic: RecordedTraffic) -> Bool {
    guard traffic.scripts.count >= 50, traffic.length > 0 else { return false }
    var bins = Array(repeating: 0.0, count: 10)
    for script in traffic.scripts {
      bins[min(9, Int(Double(script.start) / Double(traffic.length) * 10))] += 1
    }
    let expected = Double(traffic.scripts.count) / 10
    return bins.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected } < 16.9
  }
}
