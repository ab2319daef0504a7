import ReplayPlan

/// Who is still to come on a loop, and which places of a closed load close when; both in order of time.
struct Roster {
  private var awaited: ArraySlice<AwaitedAgent> = []
  private var closings: ArraySlice<PlannedSlot> = []

  /// True when nobody is to come.
  var isEmpty: Bool { awaited.isEmpty }

  /// When the next agent comes or place closes; `Int64.max` when there is none.
  var next: Int64 { min(awaited.first?.comes ?? .max, closings.first?.closes ?? .max) }

  /// Takes agents in order of their coming.
  mutating func add(_ agents: [AwaitedAgent]) {
    // The jitter of one batch may reach into the next.
    let overlaps = (awaited.last?.comes ?? .min) > (agents.first?.comes ?? .max)
    awaited += agents
    if overlaps { awaited.sort { $0.comes < $1.comes } }
    closings += agents.compactMap(\.slot).filter { $0.closes != nil }
    closings.sort { ($0.closes ?? 0, $0.number) < ($1.closes ?? 0, $1.number) }
  }

  /// Takes an agent for a place that is known.
  mutating func add(_ agent: AwaitedAgent) {
    let place = awaited.firstIndex { $0.comes > agent.comes } ?? awaited.endIndex
    awaited.insert(agent, at: place)
  }

  /// Gives up who has come by `now`, one after another.
  mutating func popComing(_ now: Int64) -> AwaitedAgent? {
    guard let first = awaited.first, first.comes <= now else { return nil }
    return awaited.removeFirst()
  }

  /// Gives up a place that has closed by `now`, one after another.
  mutating func popClosing(_ now: Int64) -> PlannedSlot? {
    guard let at = closings.first?.closes, at <= now else { return nil }
    return closings.removeFirst()
  }

  /// Nobody is to come any more; returns who was.
  mutating func dismiss() -> ArraySlice<AwaitedAgent> {
    let left = awaited
    awaited = []
    closings = []
    return left
  }
}
