/// One clone of a session.
public struct PlannedAgent: Hashable, Sendable {
  /// Index in the plan's `scripts`.
  public var script: Int
  /// Number of the copy, from 0.
  public var clone: Int
  /// When its session begins, nanoseconds since the run's beginning; negative when it is under way by then, so old.
  ///
  /// Of a replacement in a closed load only what its simulation says.
  public var start: Int64
  /// Seed of this agent's own chance.
  public var seed: UInt64

  /// How far its session is when it comes in, nanoseconds.
  public var age: Int64 { max(0, -start) }
}

/// A place in a closed load: an agent that ends in it is replaced until it closes.
public struct PlannedSlot: Hashable, Sendable {
  /// Number among all.
  public var number: Int
  /// When its first agent comes, nanoseconds since the run's beginning.
  public var opens: Int64
  /// When its agent of that time is sent home and no other follows; `nil` when the run's end decides.
  public var closes: Int64?
  /// Its first agent where that is under way when the run begins.
  public var first: PlannedAgent?
}

/// Which agent does what when: a pure function of trace, options and seed.
///
/// Agents are not listed: `pool` and `arrivals` say each of them when it is wanted, so that a plan costs the memory of its scripts.
public struct Plan: Sendable {
  /// What was asked for.
  public let options: PlanOptions
  /// The scripts that agents follow.
  public let scripts: [AgentScript]
  /// SHA-256 over the scripts and all that chooses agents, hexadecimal.
  public let digest: String
  /// What will come of it with the recorded service times.
  public let forecast: Forecast
  /// The stages on the run's time line; empty without.
  public let stages: [StageSpan]
  let population: Population

  /// True when there is no number of sessions that ends the run, but its time.
  public var isEndless: Bool { options.isEndless }
  /// True when agents that end are replaced.
  public var isClosed: Bool { options.load.isClosed }
  /// Agents of the plan; `nil` when the run's time decides.
  public var sessions: Int? { isEndless ? nil : forecast.sessions }
  /// Calls of the plan in the sense of the results; `nil` when the run decides how many agents there are.
  public var calls: Int? { isEndless || isClosed ? nil : forecast.calls }
  /// Time that agents which are under way get to come in before the run begins, nanoseconds.
  public var prologue: Int64 { forecast.prologue }

  /// When an agent begins to work, nanoseconds since the run's beginning: those under way come in before it, one by one.
  public func entry(of agent: PlannedAgent) -> Int64 {
    guard agent.start < 0 else { return agent.start }
    var random = SplitMix64(agent.seed, .entry)
    return random.below(forecast.entrySpread) - prologue
  }

  /// The agents of an open load in order of their start.
  public func arrivals() -> Arrivals { Arrivals(population) }

  /// The places of a closed load in order of their opening.
  public var slots: [PlannedSlot] { population.slots() }

  /// The agent with that place in a closed load's order; `nil` when there are no more. O(1).
  public func agent(_ index: Int) -> PlannedAgent? { population.replacement(index) }

  /// Where in the run windows of the load's hold lie, nanoseconds; all of it without stages.
  public var holds: [Range<Int64>] {
    stages.isEmpty ? [0..<Int64.max] : stages.filter(\.isHold).map { $0.start..<$0.end }
  }

  /// Up to `limit` agents whose start the plan says, in that order.
  public func firstAgents(_ limit: Int) -> [PlannedAgent] {
    guard !isClosed else {
      return slots.prefix(limit).enumerated().compactMap { i, slot in
        var agent = slot.first ?? agent(i)
        if slot.first == nil { agent?.start = slot.opens }
        return agent
      }
    }
    var arrivals = arrivals()
    var agents: [PlannedAgent] = []
    while agents.count < limit, let batch = arrivals.next() {
      agents += batch.prefix(limit - agents.count)
    }
    return agents
  }
}
