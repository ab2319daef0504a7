/// One clone of a session.
public struct PlannedAgent: Hashable, Sendable {
  /// Index in the plan's `scripts`.
  public var script: Int
  /// Number of the copy, from 0.
  public var clone: Int
  /// Start, nanoseconds since the run's beginning; of a replacement only what its simulation says.
  public var start: Int64
  /// Seed of this agent's own chance.
  public var seed: UInt64
}

/// Which agent does what when: a pure function of trace, options and seed.
public struct Plan: Sendable {
  /// What was asked for.
  public let options: PlanOptions
  /// The scripts that agents follow.
  public let scripts: [AgentScript]
  /// The agents in order of their start.
  public let agents: [PlannedAgent]
  /// Agents open at once when those that end are replaced.
  public let open: Int?
  /// SHA-256 over all of the above, hexadecimal.
  public let digest: String
  /// What will come of it with the recorded service times.
  public let forecast: Forecast

  /// True when agents are replaced until the time is over.
  public var isEndless: Bool { options.isEndless }

  /// Returns the agent at a place in the order; in an endless plan the order begins anew with new copies.
  public func agent(_ index: Int) -> PlannedAgent? {
    guard !agents.isEmpty, isEndless || index < agents.count else { return nil }
    var agent = agents[index % agents.count]
    let lap = index / agents.count
    if lap > 0 {
      agent.clone += lap * agents.count
      agent.seed = SplitMix64.seed(agent.seed, UInt64(lap))
    }
    return agent
  }

  /// What will come of a plan when every answer takes as long as recorded.
  public struct Forecast: Hashable, Sendable {
    /// Agents.
    public var sessions = 0
    /// Calls in the sense of the results.
    public var calls = 0
    /// Calls that the filter leaves out.
    public var filtered = 0
    /// Until the last agent ends, nanoseconds.
    public var length: Int64 = 0
    /// The longest think time of the run and where it is.
    public var longestThink: (time: Int64, session: String, n: Int)? {
      get { think.map { ($0.time, $0.session, $0.n) } }
      set { think = newValue.map { Think(time: $0.time, session: $0.session, n: $0.n) } }
    }
    /// The length if think times were capped at `suggestedCap`, when that would change it much.
    public var cappedLength: Int64?
    /// Calls in the busiest second.
    public var peakCallsPerSecond = 0
    /// Calls per second on the average.
    public var callsPerSecond = 0.0
    /// Calls that take values of earlier answers, and how many of these there are.
    public var boundCalls = 0
    /// Values of earlier answers that calls take.
    public var bindings = 0
    /// Calls that would say surrogates: the recording hides what they said, and no answer gives it.
    public var hiddenCalls = 0
    /// Most calls in flight.
    public var peakConcurrency = 0
    /// Most agents open.
    public var peakAgents = 0
    /// Agents open on the average.
    public var meanAgents = 0.0
    /// Calls of tools that are not known to be read-only, by tool, most first.
    public var writes: [WriteCalls] = []
    /// Distinct calls (tool and arguments) among all.
    public var distinctCallShare = 0.0

    private var think: Think?

    /// A cap that keeps the rhythm of agents and drops people's coffee breaks.
    public static let suggestedCap: Int64 = 120_000_000_000

    private struct Think: Hashable, Sendable {
      var time: Int64
      var session: String
      var n: Int
    }

    init() {}
  }

  /// Calls of a tool that may have side effects.
  public struct WriteCalls: Hashable, Sendable {
    /// The tool.
    public var tool: String
    /// How many.
    public var calls: Int
  }
}
