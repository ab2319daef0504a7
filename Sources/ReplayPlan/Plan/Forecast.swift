extension Plan {
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
    public var longestThink: Place?
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
    /// Calls that wait for an answer, and those of them that nothing but the recorded order says to wait.
    public var waitingCalls = 0
    /// Calls that wait on order alone.
    public var orderCalls = 0
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
    /// The longest time in which an agent sends nothing, nanoseconds.
    public var longestIdle: Int64 = 0
    /// The longest such time of the recording, after which a session went on, nanoseconds.
    public var survivedIdle: Int64 = 0
    /// Sessions whose beginning or end the recording does not hold.
    public var cutSessions = 0
    /// Agents that are under way when the run begins.
    public var aged = 0
    /// Time over which these come in, nanoseconds.
    public var entrySpread: Int64 = 0
    /// Time that these get to come in before, nanoseconds.
    public var prologue: Int64 = 0
    /// Share of the agents that peaks were taken from; below 1 they are estimates.
    public var sampled = 1.0
    /// Where the index of dispersion of a faithful run lies, in windows of 0.1, 1, 10 and 60 s; `nil` below 30 windows.
    public var idcBand: [ClosedRange<Double>?] = [nil, nil, nil, nil]

    /// A cap that keeps the rhythm of agents and drops people's coffee breaks.
    public static let suggestedCap: Int64 = 120_000_000_000

    init() {}
  }

  /// A time and the step it belongs to.
  public struct Place: Hashable, Sendable {
    /// Nanoseconds.
    public var time: Int64
    /// The session's name in the trace.
    public var session: String
    /// `n` of the step.
    public var n: Int
  }

  /// Calls of a tool that may have side effects.
  public struct WriteCalls: Hashable, Sendable {
    /// The tool.
    public var tool: String
    /// How many.
    public var calls: Int
  }
}
