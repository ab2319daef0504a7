import Trace

/// The copies of sessions that a plan has, each found by its number without a table of all.
///
/// Balanced: every session floor(N) times, the rest drawn without replacement. Bootstrap: every copy is drawn with replacement,
/// each client having its share of the numbers. Sessions that were not seen whole weigh half in a draw.
struct AgentPool: Sendable {
  /// Number of copies in all.
  let count: Int
  private let scripts: Int
  private let whole: Int
  private var rest: [Int]
  private let strata: [Stratum]
  private let isBootstrap: Bool
  private let burst: Burst
  private var seed: UInt64

  /// The sessions of one client.
  private struct Stratum: Sendable {
    var members: [Int]
    /// Weights of the members, summed up.
    var weights: [Double]
    /// How many of them the rest takes.
    var share = 0
    /// Copies of this client's sessions end before this number.
    var end = 0

    init(_ members: [Int], _ traffic: RecordedTraffic) {
      self.members = members
      weights = []
      for member in members {
        let script = traffic.scripts[member]
        let weight = script.isCut || script.isUnfinished ? 0.5 : 1
        weights.append((weights.last ?? 0) + weight)
      }
    }

    func draw(_ random: inout SplitMix64) -> Int {
      let at = random.unit() * (weights.last ?? 0)
      var (low, high) = (0, weights.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if weights[middle] > at { high = middle } else { low = middle + 1 }
      }
      return members[low]
    }

    /// Draws its share without replacement (Efraimidis and Spirakis, 2006).
    func pick(_ random: inout SplitMix64) -> [Int] {
      guard share > 0 else { return [] }
      let keyed = members.indices.map { i -> (key: Double, member: Int) in
        let u = random.unit()
        let weight = weights[i] - (i > 0 ? weights[i - 1] : 0)
        return (weight < 1 ? u * u : u, members[i])
      }
      return keyed.sorted { ($0.key, $0.member) > ($1.key, $1.member) }.prefix(share).map(\.member)
    }
  }

  /// `count` copies of the sessions of `traffic`.
  init(_ traffic: RecordedTraffic, count: Int, options: PlanOptions) {
    scripts = traffic.scripts.count
    self.count = scripts > 0 ? max(0, count) : 0
    seed = options.seed
    burst = options.burst
    isBootstrap = options.resample == .bootstrap
    whole = scripts > 0 ? self.count / scripts : 0
    var members: [String: [Int]] = [:]
    for (i, script) in traffic.scripts.enumerated() {
      let client = script.client.map { "\($0.name)\u{0}\($0.version)" } ?? ""
      members[client, default: []].append(i)
    }
    var strata = members.sorted { $0.key < $1.key }.map { Stratum($0.value, traffic) }
    let missing = isBootstrap ? self.count : scripts > 0 ? self.count % scripts : 0
    let shares = AgentPool.shares(of: missing, among: strata.map(\.members.count))
    var end = 0
    for i in strata.indices {
      end += shares[i]
      strata[i].share = shares[i]
      strata[i].end = end
    }
    self.strata = strata
    rest = []
    drawRest()
  }

  /// Another draw of the same kind.
  mutating func reseed(_ seed: UInt64) {
    self.seed = seed
    drawRest()
  }

  private mutating func drawRest() {
    guard !isBootstrap else { return }
    var random = SplitMix64(seed, .rest)
    rest = strata.flatMap { $0.pick(&random) }.sorted()
  }

  /// Returns the copy with a number below `count`, without a start; in later laps new copies. O(log sessions).
  func agent(_ index: Int, lap: Int = 0) -> PlannedAgent {
    var agent = PlannedAgent(script: script(index), clone: clone(index), start: 0, seed: 0)
    agent.seed = SplitMix64.seed(seed, .agent, UInt64(agent.script), UInt64(agent.clone))
    if lap != 0 {
      agent.clone += lap * (isBootstrap ? count : count / max(1, scripts) + 1)
      agent.seed = SplitMix64.seed(agent.seed, UInt64(bitPattern: Int64(lap)))
    }
    return agent
  }

  /// How many copies each session has; `nil` where that is left to chance.
  var copies: [Int]? {
    guard !isBootstrap else { return nil }
    var copies = Array(repeating: whole, count: scripts)
    for script in rest { copies[script] += 1 }
    return copies
  }

  /// Numbers of copies in groups: the rows of all sessions' copies, or of whole cohorts; bootstrapped copies or cohorts.
  func groups(_ burst: Burst) -> Groups {
    var size = isBootstrap ? 1 : max(1, scripts)
    if case .cohort(let copies) = burst { size *= copies }
    return Groups(size: max(1, size), total: count)
  }

  /// Numbers below `total` in groups of `size`.
  struct Groups {
    let size: Int
    let total: Int

    var count: Int { (total + size - 1) / size }

    subscript(_ group: Int) -> Range<Int> { group * size..<min(total, (group + 1) * size) }
  }

  private func clone(_ index: Int) -> Int { isBootstrap ? index : index / scripts }

  private func script(_ index: Int) -> Int {
    if isBootstrap {
      // A cohort shares one session, as it shares one phase.
      var key = index
      if case .cohort(let size) = burst { key = index / size * size }
      guard let stratum = strata.first(where: { key < $0.end }) else { return 0 }
      var random = SplitMix64(seed, .bootstrap, UInt64(key))
      return stratum.draw(&random)
    }
    let inRest = index - whole * scripts
    return inRest >= 0 ? rest[inRest] : index % scripts
  }

  /// Largest remainder: each client gets its share, whole ones first.
  private static func shares(of count: Int, among sizes: [Int]) -> [Int] {
    let total = sizes.reduce(0, +)
    guard total > 0 else { return sizes.map { _ in 0 } }
    var shares = sizes.map { $0 * count / total }
    let left = sizes.map { $0 * count % total }
    var missing = count - shares.reduce(0, +)
    for i in sizes.indices.sorted(by: { (-left[$0], $0) < (-left[$1], $1) }) where missing > 0 {
      shares[i] += 1
      missing -= 1
    }
    return shares
  }
}
