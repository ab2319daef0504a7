import Basics
public import Trace

/// The figures of a whole trace.
public struct TraceStatistics: Sendable {
  /// The figures of one tool.
  public struct Tool: Sendable {
    /// Calls of it.
    public let calls: Int
    /// Its calls by how they ended.
    public let outcomes: [Outcome: Int]
    /// Service times of its answered calls, milliseconds.
    public let service: Distribution
  }

  /// What was recorded, and when.
  public let header: HeaderLine?
  /// Every session's own summary, in order of time.
  public let sessions: [SessionSummary]
  /// Nanoseconds from the first message to the last.
  public let span: Int64
  /// HTTP requests: the distinct `x` of messages and exchanges.
  public let httpRequests: Int
  /// Requests of the client by method, in sessions and outside.
  public let requests: [String: Int]
  /// Calls per session.
  public let callsPerSession: Distribution
  /// Turns per session.
  public let turnsPerSession: Distribution
  /// Calls per turn that has some.
  public let fanOut: Distribution
  /// Think times of the agent's requests that have one, milliseconds.
  public let think: Distribution
  /// Service times of answered calls, milliseconds.
  public let service: Distribution
  /// Burst sizes of calls closer than 1 s, over all sessions.
  public let burstsWithin1s: Distribution
  /// Burst sizes of calls closer than 10 s, over all sessions.
  public let burstsWithin10s: Distribution
  /// Index of dispersion of the client's requests by window.
  public let dispersion: [Dispersion]
  /// The most calls in flight at once.
  public let peakCalls: Int
  /// The most sessions open at once.
  public let peakSessions: Int
  /// Calls by how they ended.
  public let outcomes: [Outcome: Int]
  /// The figures of each tool.
  public let tools: [String: Tool]
  /// Chains and how often they occur, the most frequent first.
  public let chains: [ToolChains.Count]
  /// Of the agent's requests that wait for answers, the share whose only reason is the order; `nil` when none waits.
  public let waitsOnOrder: Double?
  /// Every loss counter by name.
  public let loss: [String: FooterLine.Loss]
  /// Bytes of a last line that was cut off.
  public let tornTail: Int

  /// An index of dispersion.
  public struct Dispersion: Hashable, Sendable {
    /// Length of the windows, as the results name it: `0.1s`.
    public let window: String
    /// The index; `nil` where there are too few windows.
    public let index: Double?
  }

  /// Calls of all sessions.
  public var calls: Int { sessions.reduce(0) { $0 + $1.calls } }
  /// Sessions that the protocol itself names.
  public var explicitSessions: Int { sessions.count { $0.key?.by.isExplicit ?? false } }
  /// Calls that ended `ok`, as a share of all; `nil` when there are none.
  public var successRatio: Double? {
    calls == 0 ? nil : Double(outcomes[.ok] ?? 0) / Double(calls)
  }

  /// Computes the figures. O(n log n).
  public init(_ contents: TraceContents) {
    let everything = contents.allMessages
    let calls = contents.sessions.flatMap(\.calls)
    header = contents.headers.first
    sessions = contents.sessions.map { SessionSummary($0) }
    let spans = everything.compactMap(\.span)
    span = (spans.map(\.upperBound).max() ?? 0) &- (spans.map(\.lowerBound).min() ?? 0)
    httpRequests = everything.reduce(into: Set<Int>()) { $0.formUnion($1.exchanges) }.count
    let asked = everything.flatMap(\.requests).filter { $0.dir == .c2s }
    requests = Dictionary(asked.map { ($0.method, 1) }, uniquingKeysWith: +)
    callsPerSession = Distribution(counts: sessions.map(\.calls))
    turnsPerSession = Distribution(counts: sessions.map(\.turns))
    fanOut = Distribution(counts: sessions.flatMap(\.fanOut))
    let agents = everything.flatMap(\.agentRequests)
    think = Distribution(milliseconds: agents.compactMap(\.think))
    service = Distribution(milliseconds: calls.compactMap(\.service))
    let starts = calls.map(\.start)
    burstsWithin1s = Distribution(
      counts: BurstStatistics.sizes(times: starts, gap: 1_000_000_000))
    burstsWithin10s = Distribution(
      counts: BurstStatistics.sizes(times: starts, gap: 10_000_000_000))
    let times = asked.map(\.t)
    dispersion = IndexOfDispersion.windows.map {
      Dispersion(
        window: $0.name, index: IndexOfDispersion.of(times: times, window: $0.nanoseconds))
    }
    peakCalls = PeakOverlap.of(calls.map { ($0.start, $0.done ?? $0.start) })
    peakSessions = PeakOverlap.of(contents.sessions.map { ($0.start, $0.finish) })
    outcomes = Dictionary(calls.map { ($0.outcome, 1) }, uniquingKeysWith: +)
    tools = Dictionary(grouping: calls, by: \.tool).mapValues { calls in
      Tool(
        calls: calls.count,
        outcomes: Dictionary(calls.map { ($0.outcome, 1) }, uniquingKeysWith: +),
        service: Distribution(milliseconds: calls.compactMap(\.service)))
    }
    chains = ToolChains.counts(of: contents.sessions)
    let waiting = agents.filter { !($0.after ?? []).isEmpty }
    waitsOnOrder =
      waiting.isEmpty
      ? nil : Double(waiting.count { $0.afterBy == .order }) / Double(waiting.count)
    loss = contents.loss
    tornTail = contents.tornTail
  }
}
