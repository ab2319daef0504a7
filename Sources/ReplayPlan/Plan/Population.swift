/// Who the agents of a plan are, and when each comes.
///
/// Theory: the session is the unit; what happens inside is never moved. Copies get phases, that is their starts are moved by
/// chance within a window, modulo the recording's length; so bursts of the recording stay, and copies do not march in step.
/// A run that begins in the middle of things takes the recording as a circle: time zero lies anywhere on it for each group of
/// copies, so that at any instant as many agents are under way as the whole recording has on the average.
struct Population: Sendable {
  private(set) var options: PlanOptions
  let scripts: [AgentScript]
  private(set) var pool: AgentPool
  /// The recording's length and the window of phases, nanoseconds of the recording.
  let length: Int64
  private let phase: Phase
  private let starts: [Int64]
  let start: PlanOptions.Start
  /// The longest script.
  let longest: Int64
  let stages: [StageSpan]
  private var order: Permutation
  /// Lengths of scripts summed up, for draws in proportion.
  private let lengths: [Double]

  init(_ traffic: RecordedTraffic, _ options: PlanOptions, _ scripts: [AgentScript]) {
    self.options = options
    self.scripts = scripts
    let recorded = traffic.scripts.count
    pool = AgentPool(
      traffic, count: Population.count(options, recorded: recorded), options: options)
    length = traffic.length
    phase = Phase(traffic, window: options.phaseWindow)
    starts = traffic.scripts.map(\.start)
    start = options.start(traffic.length)
    longest = scripts.map(\.timing.length).max() ?? 0
    order = Permutation(count: pool.count, seed: SplitMix64.seed(options.seed, .order))
    var sum = 0.0
    lengths = scripts.map {
      sum += Double(max(1, $0.timing.length))
      return sum
    }
    if case .stages(let list) = options.load {
      stages = StageSpan.spans(list)
    } else {
      stages = []
    }
  }

  /// The same plan with another seed.
  func reseeded(_ seed: UInt64) -> Population {
    var other = self
    other.options.seed = seed
    other.pool.reseed(seed)
    other.order = Permutation(count: pool.count, seed: SplitMix64.seed(seed, .order))
    return other
  }

  /// Copies in all, or in a lap of a plan that only its time ends.
  private static func count(_ options: PlanOptions, recorded: Int) -> Int {
    switch options.count {
    case .sessions(let count): return count
    case .multiply(let factor):
      let exact = factor * Double(recorded)
      return max(recorded > 0 ? 1 : 0, Int(Int64(clamping: exact + 0.5)))
    case nil:
      if case .agents(let open) = options.load, !options.isEndless { return max(open, recorded) }
      return recorded
    }
  }

  /// How many agents follow each script, where neither chance nor the run's time decides that.
  var copies: [Int]? {
    guard options.load == .recorded, start != .stationary, !options.loops else { return nil }
    return pool.copies
  }

  /// True when copies are moved at all: the recording itself is replayed as it was.
  private var isMoved: Bool {
    options.burst != .lockstep && !options.isRecordingItself
  }

  /// Most times that a recording begins anew.
  private static let mostLaps: Int64 = 1_000_000

  /// When a copy's first session begins in an open load that follows the recording.
  func recordedStart(_ agent: PlannedAgent) -> Int64 {
    var random = SplitMix64(seed: agent.seed)
    var group = SplitMix64(
      options.seed, .phase, UInt64(agent.script), UInt64(options.burst.group(agent.clone)))
    let recorded = starts[agent.script]
    if start == .stationary {
      var zero = group.below(length)
      if options.burst == .lockstep {
        var common = SplitMix64(options.seed, .commonPhase)
        zero = common.below(length)
      }
      let moved = recorded >= zero ? recorded - zero : recorded - zero + length
      return options.scaledArrival(moved) + random.below(options.jitter)
    }
    let moved = isMoved ? phase.moved(recorded, &group) : recorded
    return options.scaledArrival(moved) + random.below(options.jitter)
  }

  /// The sessions of a copy that fall into the run: one, or one a lap.
  func lives(_ index: Int) -> [PlannedAgent] {
    let first = pool.agent(index)
    var agent = first
    agent.start = recordedStart(first)
    guard start == .stationary || options.loops else { return [agent] }
    let period = max(Population.shortestLife, options.scaledArrival(length))
    let end = options.end ?? .max
    var lives: [PlannedAgent] = []
    var lap = 0
    if start == .stationary {
      // Those that began before and are still under way.
      while agent.start - period * Int64(lap + 1) + scripts[agent.script].timing.length > 0 {
        lap += 1
        guard lap < 100_000 else { break }
      }
    }
    for lap in stride(
      from: -lap, through: options.loops ? Int(min(end / period, Population.mostLaps)) : 0, by: 1)
    {
      var life = lap == 0 ? first : pool.agent(index, lap: lap)
      life.start = agent.start + period * Int64(lap)
      if life.start < end { lives.append(life) }
    }
    return lives
  }

  /// An agent of a load whose arrivals are not the recording's, by its place in the order.
  func replacement(_ index: Int) -> PlannedAgent? {
    guard pool.count > 0, options.isEndless || index < pool.count else { return nil }
    let lap = index / pool.count
    return pool.agent(order(index % pool.count), lap: lap)
  }

  /// The places of a closed load.
  func slots() -> [PlannedSlot] {
    switch options.load {
    case .agents(let count): agentSlots(count)
    case .stages: stageSlots()
    case .recorded, .rate: []
    }
  }

  private func agentSlots(_ count: Int) -> [PlannedSlot] {
    guard pool.count > 0 else { return [] }
    let open = options.isEndless ? count : min(count, pool.count)
    let mean = (lengths.last ?? 0) / Double(max(1, scripts.count))
    let window = min(Int64(clamping: mean), options.phaseWindow)
    var slots: [PlannedSlot] = []
    for number in 0..<open {
      let group = UInt64(options.burst.group(number))
      var random = SplitMix64(options.seed, .slotGroup, group)
      var own = SplitMix64(options.seed, .slot, UInt64(number))
      var slot = PlannedSlot(number: number, opens: 0)
      if start == .stationary {
        // At a random instant an agent is in a session in proportion to its length, anywhere in it.
        let at = random.unit() * (lengths.last ?? 0)
        let script = lengths.firstIndex { $0 > at } ?? 0
        let age = random.below(scripts[script].timing.length)
        slot.first = PlannedAgent(
          script: script, clone: pool.count + number, start: -age,
          seed: SplitMix64.seed(options.seed, .agedAgent, UInt64(number)))
      } else {
        slot.opens = options.burst == .lockstep ? 0 : random.below(window)
        slot.opens += own.below(options.jitter)
      }
      slots.append(slot)
    }
    return slots.sorted { ($0.opens, $0.number) < ($1.opens, $1.number) }
  }

  /// A ramp opens and closes places one by one, the last opened first closed.
  private func stageSlots() -> [PlannedSlot] {
    var slots: [PlannedSlot] = []
    var open: [Int] = []
    for stage in stages {
      let to = Int(stage.to.rounded())
      let from = open.count
      let length = Double(stage.end - stage.start)
      for k in stride(from: from, to: to, by: to > from ? 1 : -1) where to != from {
        // The k-th place is due when the line between the targets is nearer to it than to the one before.
        let share =
          to > from
          ? (Double(k - from) + 0.5) / Double(to - from)
          : (Double(from - k) + 0.5) / Double(from - to)
        let at = stage.start + Int64(clamping: length * share)
        if to > from {
          open.append(slots.count)
          slots.append(PlannedSlot(number: slots.count, opens: at))
        } else if let last = open.popLast() {
          slots[last].closes = at
        }
      }
    }
    let end = stages.last?.end ?? 0
    for number in open { slots[number].closes = end }
    return slots.sorted { ($0.opens, $0.number) < ($1.opens, $1.number) }
  }
}
