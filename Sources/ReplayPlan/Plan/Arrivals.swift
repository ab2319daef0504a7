/// The agents of an open load in order of their start, some at a time.
///
/// Theory: every start can be computed from an agent's number, so that order needs no table of all agents: each batch is a stretch
/// of time with at most so many starts, found by going through all numbers once more. Ten million agents take some 40 passes of a
/// second in all, spread over the run. Arrivals at a rate are made one after the other.
public struct Arrivals: Sequence, IteratorProtocol, Sendable {
  /// Most agents of a batch, unless more than that start in one 4,096th of the run.
  static let batch = 1 << 18

  /// Agents whose starts say how long a batch is.
  private static let sampled = 1_000_000

  private enum Source: Sendable {
    case recorded(bounds: [Int64])
    case rate(RateArrivals)
  }

  private let population: Population
  private var source: Source
  private var nextBatch = 0

  init(_ population: Population) {
    self.population = population
    if let rate = RateArrivals(population) {
      source = .rate(rate)
    } else if population.options.load.isClosed {
      source = .recorded(bounds: [])
    } else {
      source = .recorded(bounds: Arrivals.bounds(population))
    }
  }

  /// Returns the next agents, at least one, in order of their start; `nil` when there are no more. O(all agents) a batch.
  public mutating func next() -> [PlannedAgent]? {
    switch source {
    case .rate(var rate):
      let agents = rate.next()
      source = .rate(rate)
      return agents
    case .recorded(let bounds):
      while nextBatch + 1 < bounds.count {
        let range = bounds[nextBatch]..<bounds[nextBatch + 1]
        nextBatch += 1
        var agents: [PlannedAgent] = []
        for i in 0..<population.pool.count {
          for agent in population.lives(i) where range.contains(agent.start) {
            agents.append(agent)
          }
        }
        guard !agents.isEmpty else { continue }
        agents.sort { ($0.start, $0.script, $0.clone) < ($1.start, $1.script, $1.clone) }
        return agents
      }
      return nil
    }
  }

  /// Instants between which at most `batch` agents start, as far as 4,096 stretches of time tell.
  private static func bounds(_ population: Population) -> [Int64] {
    let pool = population.pool.count
    guard pool > 0 else { return [] }
    if pool <= batch, !population.options.loops { return [.min, .max] }
    let span = population.options.scaledArrival(population.length) + population.options.jitter
    let end = Swift.min(population.options.end ?? .max, population.options.loops ? .max : span)
    let width = Swift.max(1, end / 4096)
    // Batches need be only about as large: of very many agents one in some says when they come.
    let every = pool / sampled + 1
    var counts = Array(repeating: 0, count: 4097)
    for first in Swift.stride(from: 0, to: pool, by: every) {
      // By chance among them, as sessions come in turn.
      var random = SplitMix64(population.options.seed, .sample, UInt64(first))
      let i = Swift.min(pool - 1, first + Int(random.below(Int64(every))))
      for agent in population.lives(i) {
        counts[Int(Swift.min(4096, Swift.max(0, agent.start) / width))] += every
      }
    }
    var bounds: [Int64] = [.min]
    var sum = 0
    for (i, count) in counts.enumerated() {
      if sum > 0, sum + count > batch {
        bounds.append(Int64(i) * width)
        sum = 0
      }
      sum += count
    }
    return bounds + [.max]
  }
}

/// Sessions that start at a rate: a Poisson process, in groups where copies come in cohorts.
struct RateArrivals: Sendable {
  private let population: Population
  private let stages: [StageSpan]
  private let end: Int64
  private let limit: Int
  private let group: Int
  private var random: SplitMix64
  private var at: Int64 = 0
  private var number = 0

  private static let batch = 1 << 16

  init?(_ population: Population) {
    let options = population.options
    switch options.load {
    case .rate(let rate):
      stages = [StageSpan(start: 0, end: .max, from: rate, to: rate)]
    case .stages(let list) where list.first?.unit == .rate: stages = population.stages
    case .recorded, .agents, .stages: return nil
    }
    self.population = population
    end = options.end ?? .max
    limit = options.isEndless ? .max : population.pool.count
    if case .cohort(let size) = options.burst { group = size } else { group = 1 }
    random = SplitMix64(options.seed, .arrivals)
    // Sessions that began before the run and are still under way.
    if population.start == .stationary { at = -population.longest }
  }

  mutating func next() -> [PlannedAgent]? {
    var agents: [PlannedAgent] = []
    while agents.count < RateArrivals.batch, number < limit, let start = advance(), start < end {
      for _ in 0..<group where number < limit {
        guard var agent = population.replacement(number) else { break }
        number += 1
        var own = SplitMix64(seed: agent.seed)
        agent.start = start + own.below(population.options.jitter)
        let length = population.scripts[agent.script].timing.length
        if agent.start >= 0 || agent.start + length > 0 { agents.append(agent) }
      }
    }
    if group > 1 || population.options.jitter > 0 {
      agents.sort { ($0.start, $0.script, $0.clone) < ($1.start, $1.script, $1.clone) }
    }
    return agents.isEmpty ? nil : agents
  }

  /// The instant at which the integral of the rate has grown by an exponential number.
  private mutating func advance() -> Int64? {
    var left = random.exponential() * Double(group)
    while true {
      guard let stage = stages.first(where: { $0.end > at }) else { return nil }
      if at < 0, let first = stages.first {
        // Before the run the rate was what it is at its beginning.
        guard first.from > 0 else {
          at = 0
          continue
        }
        let step = left / first.from * 1e9
        if Double(at) + step < 0 {
          at += Int64(clamping: step)
          return at
        }
        left -= Double(-at) / 1e9 * first.from
        at = 0
        continue
      }
      let slope =
        stage.from == stage.to
        ? 0 : (stage.to - stage.from) / (Double(stage.end - stage.start) / 1e9)
      let rate = stage.from + slope * Double(at - stage.start) / 1e9
      // Solves rate·x + slope·x²/2 = left for the seconds x.
      let root = rate * rate + 2 * slope * left
      let x = root < 0 ? .infinity : 2 * left / (rate + root.squareRoot())
      let rest = Double(stage.end - at) / 1e9
      if x <= rest, x.isFinite {
        at = Swift.min(stage.end, at + Int64(clamping: x * 1e9))
        return at
      }
      left -= (rate + slope * rest / 2) * rest
      at = stage.end
    }
  }
}
