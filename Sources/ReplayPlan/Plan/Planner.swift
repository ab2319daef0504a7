import Trace

/// Decides which sessions are cloned, and when each clone starts.
///
/// Theory: the session is the unit; what happens inside is never moved. Copies get phases, that is their starts are moved by
/// chance within a window, modulo the recording's length; so bursts of the recording stay, and copies do not march in step.
public struct Planner {
  private let traffic: RecordedTraffic
  private let options: PlanOptions

  /// Creates a planner.
  public init(_ traffic: RecordedTraffic, _ options: PlanOptions) {
    self.traffic = traffic
    self.options = options
  }

  /// Returns the plan. O(agents × steps).
  public func plan() -> Plan {
    let scripts = traffic.scripts.map { AgentScript($0, options) }
    var random = SplitMix64(seed: SplitMix64.seed(options.seed, 1))
    var agents: [PlannedAgent]
    var open: Int?
    switch options.load {
    case .multiply(let factor):
      agents = copies(factor, &random)
      for i in agents.indices { agents[i].start = start(agents[i], factor: factor) }
      agents.sort { ($0.start, $0.script, $0.clone) < ($1.start, $1.script, $1.clone) }
    case .agents(let count, let factor):
      let sessions = max(1, traffic.scripts.count)
      let least = Double(max(count, sessions))
      agents = copies(factor ?? least / Double(sessions), &random)
      shuffle(&agents, &random)
      open = count
      spread(&agents, count, scripts)
    }
    let forecast = Forecaster(
      options: options, scripts: scripts, agents: agents, open: open,
      readOnly: traffic.readOnlyTools
    ).forecast()
    return Plan(
      options: options, scripts: scripts, agents: agents, open: open,
      digest: PlanDigest.digest(options, scripts, agents, open), forecast: forecast)
  }

  private func agent(_ script: Int, _ clone: Int) -> PlannedAgent {
    PlannedAgent(
      script: script, clone: clone, start: 0,
      seed: SplitMix64.seed(options.seed, 2, UInt64(script), UInt64(clone)))
  }

  /// Balanced resampling: every session floor(N) times, the rest drawn without replacement, stratified by client.
  private func copies(_ factor: Double, _ random: inout SplitMix64) -> [PlannedAgent] {
    let count = traffic.scripts.count
    guard count > 0, factor > 0 else { return [] }
    let whole = Int(Int64(clamping: factor))
    var agents: [PlannedAgent] = []
    for clone in 0..<whole { for script in 0..<count { agents.append(agent(script, clone)) } }
    var rest = Int(Int64(clamping: (factor - Double(whole)) * Double(count) + 0.5))
    if whole == 0 { rest = max(1, rest) }
    for script in draw(min(rest, count), &random) { agents.append(agent(script, whole)) }
    return agents
  }

  private func draw(_ rest: Int, _ random: inout SplitMix64) -> [Int] {
    guard rest > 0 else { return [] }
    var strata: [String: [Int]] = [:]
    for (i, script) in traffic.scripts.enumerated() {
      let client = script.client.map { "\($0.name)\u{0}\($0.version)" } ?? ""
      strata[client, default: []].append(i)
    }
    // Largest remainder: each client gets its share of the rest, whole ones first.
    let total = traffic.scripts.count
    var shares = strata.sorted { $0.key < $1.key }.map { key, members in
      (members: members, take: members.count * rest / total, left: members.count * rest % total)
    }
    var missing = rest - shares.reduce(0) { $0 + $1.take }
    for i in shares.indices.sorted(by: { (-shares[$0].left, $0) < (-shares[$1].left, $1) })
    where missing > 0 {
      shares[i].take += 1
      missing -= 1
    }
    return shares.flatMap { pick($0.take, of: $0.members, &random) }.sorted()
  }

  /// Draws without replacement (Efraimidis and Spirakis, 2006); sessions that were not seen whole weigh half.
  private func pick(_ count: Int, of members: [Int], _ random: inout SplitMix64) -> [Int] {
    let keyed = members.map { member -> (key: Double, member: Int) in
      let script = traffic.scripts[member]
      let u = random.unit()
      return (script.isCut || script.isUnfinished ? u * u : u, member)
    }
    return keyed.sorted { ($0.key, $0.member) > ($1.key, $1.member) }.prefix(count).map(\.member)
  }

  private func shuffle(_ agents: inout [PlannedAgent], _ random: inout SplitMix64) {
    guard agents.count > 1 else { return }
    for i in stride(from: agents.count - 1, to: 0, by: -1) {
      agents.swapAt(i, Int(random.below(Int64(i + 1))))
    }
  }

  /// An agent's start: as recorded, moved by its phase, scaled, delayed by its jitter.
  private func start(_ agent: PlannedAgent, factor: Double) -> Int64 {
    var random = SplitMix64(seed: agent.seed)
    let recorded = traffic.scripts[agent.script].start
    let moved =
      options.burst == .independent && factor != 1
      ? Phase(traffic, window: options.phaseWindow).moved(recorded, &random) : recorded
    return options.scaled(moved) + random.below(options.jitter)
  }

  /// The first agents of a closed load: at once in lockstep, else spread over an average session.
  private func spread(_ agents: inout [PlannedAgent], _ count: Int, _ scripts: [AgentScript]) {
    guard !scripts.isEmpty else { return }
    let mean = scripts.reduce(0.0) { $0 + Double($1.length) } / Double(scripts.count)
    let window = min(Int64(clamping: mean), options.phaseWindow)
    for i in agents.indices.prefix(count) {
      var random = SplitMix64(seed: agents[i].seed)
      let phase = options.burst == .independent ? random.below(window) : 0
      agents[i].start = phase + random.below(options.jitter)
    }
    let first = agents.prefix(count).sorted { ($0.start, $0.script) < ($1.start, $1.script) }
    agents.replaceSubrange(0..<first.count, with: first)
  }
}
