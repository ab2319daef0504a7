/// Between which values the index of dispersion of a faithful run lies.
///
/// The plan is simulated with 200 other seeds and the recorded service times, and the middle 95 % are taken: one run's value
/// scatters widely around its expectation. Events are the client's requests, windows those of the load's hold. Of a large plan the
/// copies up to a bound are simulated: independent ones and whole cohorts have the index of their kind whatever their number, and
/// copies in lockstep have that of one times their number.
struct BurstBand {
  static let seeds = 200
  /// Requests that are laid out in all.
  private static let requestLimit = 8_000_000
  /// Windows below which there is no index.
  private static let fewestWindows = 30
  /// Windows in 100 ms.
  private static let windows = [1, 10, 100, 600]
  private static let bin: Int64 = 100_000_000
  /// Longest run that is simulated, in bins: 28 hours.
  private static let binLimit = 1_000_000

  private let population: Population
  private let requests: [[Int]]
  private let bins: Int
  private let stride: Int
  private let factor: Double

  init(_ population: Population, calls: Int, length: Int64) {
    self.population = population
    let scripts = population.scripts
    requests = scripts.map { script in
      script.session.steps.indices.filter { i in
        let step = script.session.steps[i]
        return step.kind == .request && !step.isLongLived && step.omission == nil
          && script.skips[i] == nil
      }
    }
    let options = population.options
    let end = min(length, options.end ?? .max)
    bins = Int(min(end / BurstBand.bin + 1, Int64(BurstBand.binLimit)))
    let perSeed = max(1, calls * 2)
    let wanted = max(1, perSeed * BurstBand.seeds / BurstBand.requestLimit)
    stride = wanted
    factor = options.burst == .lockstep ? Double(wanted) : 1
  }

  /// One range for each window of `windows`.
  func band() -> [ClosedRange<Double>?] {
    guard bins >= BurstBand.fewestWindows else { return [nil, nil, nil, nil] }
    var values: [[Double]] = BurstBand.windows.map { _ in [] }
    for seed in 0..<BurstBand.seeds {
      let counts = simulate(UInt64(seed))
      for (k, window) in BurstBand.windows.enumerated() {
        if let value = Dispersion.index(counts, window: window, within: holds) {
          values[k].append(value * factor)
        }
      }
    }
    return values.map { values in
      guard values.count == BurstBand.seeds else { return nil }
      let sorted = values.sorted()
      return sorted[sorted.count / 40]...sorted[sorted.count - 1 - sorted.count / 40]
    }
  }

  private var holds: [Range<Int>] {
    let stages = population.stages
    guard !stages.isEmpty else { return [0..<bins] }
    return stages.filter(\.isHold).map {
      Int($0.start / BurstBand.bin)..<min(bins, Int($0.end / BurstBand.bin))
    }
  }

  private func simulate(_ seed: UInt64) -> [Int32] {
    var counts = Array(repeating: Int32(0), count: bins)
    let other = population.reseeded(SplitMix64.seed(population.options.seed, 12, seed))
    let jitters = population.options.thinkJitter != .none
    other.eachLife(stride: stride) { life in
      let script = other.scripts[life.script]
      let ideal =
        jitters
        ? script.timing(seed: life.seed, age: max(0, -life.start)).ideal : script.timing.ideal
      let last = min(life.closes ?? .max, Int64(bins) * BurstBand.bin - 1)
      for i in requests[life.script] {
        let at = life.start + ideal[i]
        if at >= 0, at <= last { counts[Int(at / BurstBand.bin)] += 1 }
      }
    }
    return counts
  }
}

/// Variance by mean of counts.
public enum Dispersion {
  /// Returns the index of dispersion of counts in bins, in windows of `window` bins that lie within one of `ranges` of bins;
  /// `nil` below 30 windows, or of nothing.
  public static func index<Count: BinaryInteger>(
    _ counts: [Count], window: Int, within ranges: [Range<Int>]
  ) -> Double? {
    var n = 0
    var sum = 0.0
    var squares = 0.0
    for range in ranges {
      var at = range.lowerBound
      while at + window <= min(range.upperBound, counts.count) {
        var count = 0.0
        for bin in at..<at + window { count += Double(counts[bin]) }
        n += 1
        sum += count
        squares += count * count
        at += window
      }
    }
    guard n >= 30, sum > 0 else { return nil }
    let mean = sum / Double(n)
    return (squares - sum * mean) / Double(n - 1) / mean
  }
}
