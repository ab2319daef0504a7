public import Trace

/// What a recorded server answered, by question: the memory of a `ScriptedServer`.
///
/// Built once, then only read. Questions are `(method, tool, canonical params)`; answers to one question are kept in
/// recorded order, session by session, so that a live session can hear what one recorded session heard.
/// Holds the recording's payloads in memory.
public struct ExchangeBook: Sendable {
  /// All answers to one question.
  struct Page: Sendable {
    /// In recorded order, all sessions.
    var all: [Int] = []
    /// The same, by recorded session.
    var bySession: [Int: [Int]] = [:]
    /// Those sessions in recorded order.
    var sessions: [Int] = []
  }

  var exchanges: [RecordedExchange] = []
  var sessions: [RecordedSession] = []
  var pages: [Page] = []
  var pageOf: [CallKey: Int] = [:]
  /// Answers that may stand in for each other.
  var families: [CallKey.Family: [Int]] = [:]
  /// Recorded endpoint paths; empty when none is known.
  var paths: [String] = []
  /// Status of GET requests for a stream, when there were any.
  var streamStatus: Int?
  /// Status of DELETE requests, when there were any.
  var deleteStatus: Int?

  /// Names of the tools that were called, sorted.
  public internal(set) var tools: [String] = []
  /// Number of recorded exchanges that can be answered from.
  public var exchangeCount: Int { exchanges.count }
  /// Number of recorded sessions.
  public internal(set) var sessionCount = 0
  /// Recorded sessions over HTTP+SSE or stdio; they are answered over Streamable HTTP.
  public internal(set) var otherTransports = 0
  /// The endpoint's path to tell a user: the first recorded one, else `/mcp`.
  public var path: String { paths.first ?? "/mcp" }

  /// Some recorded session had an `Mcp-Session-Id`.
  var isStateful: Bool { sessions.contains(where: \.isStateful) }
  /// Some recorded session spoke 2026-07-28 or later.
  var isModern: Bool { sessions.contains(where: \.isModern) }
  /// Some recorded session had neither: a legacy server without sessions.
  var isStateless: Bool {
    sessions.contains { !$0.isStateful && !$0.isModern && $0.revision != nil }
  }
  /// Most recorded answers travelled as event streams.
  var prefersSSE: Bool { exchanges.count { $0.style == .sse } * 2 > exchanges.count }

  /// Builds the book of one recording.
  public init(_ events: [TraceEvent]) {
    var builder = BookBuilder()
    for event in events { builder.add(event) }
    self = builder.finish()
  }

  init() {}

  /// Returns one of the answers recorded for other arguments, always the same for the same arguments.
  func standIn(for key: CallKey) -> Int? {
    guard let family = families[key.family], !family.isEmpty else { return nil }
    return family[Int(key.hash % UInt64(family.count))]
  }
}
