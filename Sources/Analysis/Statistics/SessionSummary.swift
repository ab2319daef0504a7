import Basics
public import Trace

/// What one session amounts to.
public struct SessionSummary: Sendable {
  /// Name in the trace.
  public let name: String
  /// The final key; `nil` when the trace does not say.
  public let key: SessionKey?
  /// Whether its beginning was recorded.
  public let start: SessionLine.Start?
  /// How it ended; `nil` when the trace does not say.
  public let end: EndLine.How?
  /// Turns in which its agent asked something.
  public let turns: Int
  /// Calls its agent made.
  public let calls: Int
  /// Calls by how they ended.
  public let outcomes: [Outcome: Int]
  /// Calls of each turn that has some, in order.
  public let fanOut: [Int]
  /// Tools of *all* `tools/call` requests of the client, in order of time: also repeated and resumed ones.
  public let toolsCalled: [String]
  /// HTTP requests.
  public let httpRequests: Int

  /// Summarises a session.
  public init(_ session: RecordedSession) {
    name = session.name
    key = session.key
    start = session.line?.start
    end = session.end?.how
    turns = Set(session.messages.agentRequests.lazy.compactMap(\.turn)).count
    calls = session.calls.count
    outcomes = Dictionary(session.calls.map { ($0.outcome, 1) }, uniquingKeysWith: +)
    fanOut = ToolChains.turns(of: session.calls).map(\.count)
    toolsCalled = session.messages.requests
      .filter { $0.method == "tools/call" && $0.dir == .c2s }
      .map { $0.tool ?? "?" }
    httpRequests = session.messages.exchanges.count
  }
}
