import Basics
public import Trace

/// Writes the events of one session as a transcript; times are milliseconds, `n` and `x` count up by themselves.
///
/// What it writes is a valid trace unless the test changes `events`.
public struct TraceScript {
  /// What was written so far, without header and footer.
  public var events: [TraceEvent] = []
  /// The session's name.
  public let session: String
  private var n = 0
  private var x: Int
  private var answered: [Int: Int64] = [:]
  private var asked: [Int: RequestLine] = [:]

  /// Opens a session whose beginning was recorded. `firstX`: the first HTTP exchange's number less one.
  public init(_ session: String = "s1", at t: Int64 = 0, firstX: Int = 0) {
    self.session = session
    x = firstX
    var line = SessionLine(session: session, t: t * 1_000_000, transport: .streamableHTTP)
    line.start = .seen
    line.key = SessionKey(
      by: .mcpSessionID, value: "id-\(session)", evidence: ["mcp-session-id"], confidence: 1)
    events.append(.session(line))
  }

  /// A request of the client library; returns its `n`.
  @discardableResult
  public mutating func sdk(_ method: String, at t: Int64, turn: Int = 0) -> Int {
    ask(method, at: t, origin: .sdk, turn: turn, after: [], change: { _ in })
  }

  /// An agent's call of a tool; `after` are answers, `think` follows from them. Returns its `n`.
  @discardableResult
  public mutating func call(
    _ tool: String, at t: Int64, turn: Int, after: [Int] = [],
    change: (inout RequestLine) -> Void = { _ in }
  ) -> Int {
    ask("tools/call", at: t, origin: .agent, turn: turn, after: after) {
      $0.tool = tool
      change(&$0)
    }
  }

  private mutating func ask(
    _ method: String, at t: Int64, origin: Origin, turn: Int, after: [Int],
    change: (inout RequestLine) -> Void
  ) -> Int {
    n += 1
    x += 1
    var line = RequestLine(
      session: session, n: n, t: t * 1_000_000, dir: .c2s, id: RawJSON(.int(n)), method: method)
    line.origin = origin
    line.turn = turn
    line.x = x
    line.via = .post
    if !after.isEmpty {
      line.after = after
      line.afterBy = .order
      line.think = line.t - (after.compactMap { answered[$0] }.max() ?? 0)
    }
    change(&line)
    asked[n] = line
    events.append(.request(line))
    return n
  }

  /// The server's answer to the request `re`; returns its `n`.
  @discardableResult
  public mutating func answer(
    _ re: Int, at t: Int64, _ outcome: Outcome = .ok,
    change: (inout ResponseLine) -> Void = { _ in }
  ) -> Int {
    n += 1
    var line = ResponseLine(
      session: session, n: n, re: re, t: t * 1_000_000, dir: .s2c, outcome: outcome)
    line.done = line.t
    line.x = asked[re]?.x
    switch outcome {
    case .ok: line.status = 200
    case .toolError: line.status = 200
    case .jsonrpcError: line.code = -32602
    case .httpError: line.status = 401
    case .sessionLost: line.status = 404
    case .transportError, .timeout, .cancelled, .unanswered: break
    }
    change(&line)
    answered[n] = line.done ?? line.t
    events.append(.response(line))
    return n
  }

  /// Any other event of the session; takes the next `n`.
  @discardableResult
  public mutating func next(_ make: (_ session: String, _ n: Int, _ x: Int) -> TraceEvent) -> Int {
    n += 1
    x += 1
    events.append(make(session, n, x))
    return n
  }

  /// The session is over.
  public mutating func end(at t: Int64, _ how: EndLine.How = .closed) {
    let key = SessionKey(
      by: .mcpSessionID, value: nil, evidence: ["mcp-session-id"], confidence: 1)
    events.append(.end(EndLine(session: session, t: t * 1_000_000, how: how, key: key)))
  }

  /// Returns a whole trace of these sessions, closed by a footer that is right.
  public static func trace(_ scripts: TraceScript...) -> [TraceEvent] {
    closed(scripts.flatMap(\.events))
  }

  /// Returns `events` between a header and a footer that counts them.
  public static func closed(_ events: [TraceEvent]) -> [TraceEvent] {
    let header = HeaderLine(
      recorder: "record 0.1.0", source: .proxy, t0: Timestamp(nanoseconds: 0))
    let all = [.header(header)] + events
    let counts = Dictionary(all.map { ($0.type, 1) }, uniquingKeysWith: +)
    let footer = FooterLine(counts: counts, bytesIn: 0, bytesExplained: 0, loss: [:])
    return all + [.footer(footer)]
  }
}
