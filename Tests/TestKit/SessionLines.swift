import Basics
public import Trace

/// The lines of one session with exact nanoseconds; `n` counts up by itself.
public struct SessionLines {
  /// What was written so far, the session's line first.
  public private(set) var events: [TraceEvent] = []
  private let name: String
  private let start: Int64
  private var n = 0
  private var doneAt: [Int: Int64] = [:]

  /// Opens a session at `start`; every other time counts from there.
  public init(_ name: String, start: Int64, by: SessionKey.By = .mcpSessionID) {
    self.name = name
    self.start = start
    let isSSE = by == .sseEndpoint
    var line = SessionLine(session: name, t: start, transport: isSSE ? .httpSSE : .streamableHTTP)
    line.authority = "h:1"
    line.path = isSSE ? "/sse" : "/mcp"
    line.key = SessionKey(by: by, value: nil, evidence: [by.rawValue], confidence: 1)
    line.start = .seen
    events.append(.session(line))
  }

  /// A client's request; `think` follows from `after`. Returns its `n`.
  @discardableResult
  public mutating func request(
    _ method: String, t: Int64, params: String? = nil, after: [Int] = [], id: String? = nil,
    change: (inout RequestLine) -> Void = { _ in }
  ) -> Int {
    n += 1
    let token = JSONValue(parsing: id ?? "\(n)") ?? .null
    var line = RequestLine(
      session: name, n: n, t: start + t, dir: .c2s, id: RawJSON(token), method: method)
    line.params = params.flatMap { JSONValue(parsing: $0) }.map { RawJSON($0) }
    line.origin = .sdk
    line.turn = 0
    wait(&line.after, &line.think, after, t)
    change(&line)
    events.append(.request(line))
    return n
  }

  /// An agent's call of a tool. Returns its `n`.
  @discardableResult
  public mutating func call(
    _ tool: String, t: Int64, turn: Int, after: [Int] = [], arguments: String = "{}",
    change: (inout RequestLine) -> Void = { _ in }
  ) -> Int {
    let params = #"{"name":"\#(tool)","arguments":\#(arguments)}"#
    return request("tools/call", t: t, params: params, after: after) {
      $0.tool = tool
      $0.origin = .agent
      $0.turn = turn
      $0.afterBy = after.isEmpty ? nil : .order
      change(&$0)
    }
  }

  /// The answer to the request `re`. Returns its `n`.
  @discardableResult
  public mutating func answer(
    _ re: Int, t: Int64, _ outcome: Outcome = .ok, result: String? = nil,
    change: (inout ResponseLine) -> Void = { _ in }
  ) -> Int {
    n += 1
    var line = ResponseLine(
      session: name, n: n, re: re, t: start + t, dir: .s2c, outcome: outcome)
    line.done = start + t
    line.result = result.flatMap { JSONValue(parsing: $0) }.map { RawJSON($0) }
    change(&line)
    doneAt[n] = t
    events.append(.response(line))
    return n
  }

  /// A client's notification.
  public mutating func notification(
    _ method: String, t: Int64, done: Int64, after: [Int] = [], params: String? = nil
  ) {
    n += 1
    var line = NotificationLine(session: name, n: n, t: start + t, dir: .c2s, method: method)
    line.done = start + done
    line.params = params.flatMap { JSONValue(parsing: $0) }.map { RawJSON($0) }
    wait(&line.after, &line.think, after, t)
    events.append(.notification(line))
  }

  /// The client opens a stream.
  public mutating func stream(t: Int64, after: [Int]) { http(.streamOpen, "GET", t, t, after) }

  /// The client ends the session.
  public mutating func delete(t: Int64, done: Int64, after: [Int]) {
    http(.delete, "DELETE", t, done, after)
  }

  /// The session is over.
  public mutating func end(t: Int64, _ how: EndLine.How = .deleted) {
    let key = SessionKey(by: .mcpSessionID, value: nil, evidence: ["mcp-session-id"], confidence: 1)
    events.append(.end(EndLine(session: name, t: start + t, how: how, key: key)))
  }

  private mutating func http(
    _ role: HTTPLine.Role, _ method: String, _ t: Int64, _ done: Int64, _ after: [Int]
  ) {
    n += 1
    var line = HTTPLine(x: n, conn: 1, t: start + t, method: method, target: "/mcp", role: role)
    line.session = name
    line.n = n
    line.done = start + done
    wait(&line.after, &line.think, after, t)
    events.append(.http(line))
  }

  private func wait(_ after: inout [Int]?, _ think: inout Int64?, _ answers: [Int], _ t: Int64) {
    guard !answers.isEmpty else { return }
    after = answers
    think = t - (answers.compactMap { doneAt[$0] }.max() ?? 0)
  }
}
