import Basics

/// Between which values the index of dispersion of a faithful run lies.
///
/// The plan is simulated with 200 other seeds and the recorded service times; the range of what comes out is the band. Events are
/// the client's requests, windows those of the load's hold. Who counts the arrivals may begin his windows anywhere, and no server
/// takes exactly as long as the recorded one: each simulation begins its windows at a random place, and has a spread of service
/// times of its own, of up to 5 ms. Of a plan so large that one seed is a million requests there are fewer, and the range is
/// widened to what 200 would span.
///
/// Of a large plan some groups of copies are simulated. Copies in lockstep have the index of one times their number. Others are
/// independent of each other, but they share the recording's ups and downs: counts of n groups vary by n²·V + n·U, V the variance
/// of the rate that is common to all and U a group's own. So the index grows linearly with n, from that of one seed's groups to
/// that of all seeds' groups together, which are independent too. Of the deviations of seeds the part that is owed to the common
/// rate grows with the root of n.
struct BurstBand {
  private static let mostSeeds = 200
  private static let leastSeeds = 20
  /// 200 draws of a normal distribution span so many standard deviations to either side.
  private static let reach = 2.75
  /// Sessions of a load at a rate that are simulated in all, each seed's one after the other from the run's beginning.
  private static let arrivalLimit = 4_000_000
  /// Requests that are laid out in all.
  private static let requestLimit = 4_000_000
  /// The same where single groups are so large that even few of them are more.
  private static let largeLimit = 40_000_000
  /// Lengths of the windows in bins.
  private static let windows = IndexOfDispersion.windows.map {
    Int($0.nanoseconds / TimeBins.length)
  }
  /// Longest run that is simulated, in bins: 28 hours.
  private static let binLimit = 1_000_000
  /// Largest spread of service times, nanoseconds.
  private static let spread = 5_000_000.0

  private let population: Population
  private let requests: [[Int]]
  private let bins: Int
  private let stride: Int
  private let factor: Double
  /// How many times the simulated groups the plan has.
  private let scale: Double
  private let seeds: Int

  init(_ population: Population, sessions: Int, calls: Int, length: Int64) {
    self.population = population
    requests = population.scripts.map { script in
      script.session.steps.indices.filter { i in
        let step = script.session.steps[i]
        return step.kind == .request && !step.isLongLived && step.omission == nil
          && script.skips[i] == nil
      }
    }
    let options = population.options
    var end = min(length, options.end ?? .max)
    var most = BurstBand.mostSeeds
    if !options.load.isClosed, options.load != .recorded,
      sessions > BurstBand.arrivalLimit / BurstBand.mostSeeds
    {
      most = BurstBand.mostSeeds / 4
      let share = Double(BurstBand.arrivalLimit / most) / Double(sessions)
      end = Int64(clamping: Double(end) * min(1, share))
    }
    bins = Int(min(end / TimeBins.length + 1, Int64(BurstBand.binLimit)))
    let wanted = max(1, calls * 2 * BurstBand.mostSeeds / BurstBand.requestLimit)
    let groups =
      options.load.isClosed
      ? BurstBand.groups(of: population) : population.pool.groups(options.burst).count
    let each = calls * 2 / max(1, groups)
    // Two groups at least, unless one of them is too much.
    let fewest = each * 2 * most > BurstBand.largeLimit ? 1 : 2
    stride = min(wanted, max(1, groups / fewest))
    let taken = (groups + stride - 1) / max(1, stride)
    seeds = min(most, max(BurstBand.leastSeeds, BurstBand.largeLimit / max(1, each * taken)))
    // Places of a closed load in lockstep are one group, which is taken whole.
    scale = options.burst == .lockstep ? 1 : Double(groups) / Double(max(1, taken))
    let isScaled = options.burst == .lockstep && !options.load.isClosed
    factor = isScaled ? Double(groups) / Double(max(1, taken)) : 1
  }

  /// Cohorts of the places of a closed load.
  private static func groups(of population: Population) -> Int {
    let places = population.slots().count
    return places > 0 ? population.options.burst.group(places - 1) + 1 : 0
  }

  /// One range for each window of 0.1, 1, 10 and 60 s; `nil` below 30 windows. O(seeds × requests of the sample).
  func band() -> [ClosedRange<Double>?] {
    guard bins >= Int(IndexOfDispersion.leastWindows) else { return [nil, nil, nil, nil] }
    var values: [[Double]] = BurstBand.windows.map { _ in [] }
    var together = Array(repeating: Int32(0), count: bins)
    for seed in 0..<seeds {
      var random = SplitMix64(population.options.seed, .windows, UInt64(seed))
      let counts = simulate(UInt64(seed), &random)
      if scale > 1 { for i in counts.indices { together[i] &+= counts[i] } }
      for (k, window) in BurstBand.windows.enumerated() {
        let shift = Int(random.below(Int64(window)))
        let ranges = holds.map { min($0.lowerBound + shift, $0.upperBound)..<$0.upperBound }
        if let value = IndexOfDispersion.of(counts: counts, window: window, within: ranges) {
          values[k].append(value * factor)
        }
      }
    }
    return zip(values, BurstBand.windows).map { values, window in
      let whole = IndexOfDispersion.of(counts: together, window: window, within: holds)
      let values = grown(values, to: whole)
      // A shift may cost the last of just 30 windows.
      guard values.count > seeds / 2, let least = values.min(), let most = values.max()
      else { return nil }
      guard seeds < BurstBand.mostSeeds else { return least...most }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance =
        values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count - 1))
      let side = variance.squareRoot() * BurstBand.reach
      return max(0, min(least, mean - side))...max(most, mean + side)
    }
  }

  /// What the indices of seeds are for as many groups as the plan has, where all seeds' groups together have that of `whole`.
  private func grown(_ values: [Double], to whole: Double?) -> [Double] {
    guard scale > 1, let whole, values.count > 1 else { return values }
    let mean = values.reduce(0, +) / Double(values.count)
    // In units of the groups of one seed.
    let common = max(0, (whole - mean) / Double(seeds - 1))
    let own = max(0, mean - common)
    let share = mean > 0 ? 2 * common / (2 * common + own) : 0
    let spread = (1 + (scale - 1) * share).squareRoot()
    return values.map { mean + ($0 - mean) * spread + (scale - 1) * common }
  }

  private var holds: [Range<Int>] {
    let stages = population.stages
    guard !stages.isEmpty else { return [0..<bins] }
    return stages.filter(\.isHold).map { stage in
      // The last session may end before the last stage.
      let end = min(bins, Int(stage.end / TimeBins.length))
      return min(Int(stage.start / TimeBins.length), end)..<end
    }
  }

  private func simulate(_ seed: UInt64, _ random: inout SplitMix64) -> [Int32] {
    var counts = Array(repeating: Int32(0), count: bins)
    let other = population.reseeded(SplitMix64.seed(population.options.seed, .simulation, seed))
    let jitters = population.options.thinkJitter != .none
    let shift = random.below(TimeBins.length)
    let spread = random.unit() * BurstBand.spread
    let end = Int64(bins) * TimeBins.length
    other.eachLife(every: stride, until: end) { life in
      let script = other.scripts[life.script]
      let timing =
        jitters ? script.timing(seed: life.seed, age: max(0, -life.start)) : script.timing
      let last = min(life.closes ?? .max, end - 1)
      var late = 0.0
      for i in requests[life.script] {
        let ideal = life.start + timing.ideal[i]
        guard ideal >= 0, ideal <= last else { continue }
        // What one call takes longer or less delays all that follow it.
        late += (random.unit() - 0.5) * 2 * spread
        let at = ideal + Int64(late) + shift
        counts[Int(max(0, min(at, end - 1)) / TimeBins.length)] += 1
      }
    }
    return counts
  }
}
