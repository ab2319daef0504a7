import Basics
import ReplayPlan
import Trace

/// Recorded conversations that the tests replay; times are milliseconds.
enum Conversation {
  static let millisecond: Int64 = 1_000_000

  /// Initialize, a search, two parallel reads, a write, DELETE; the recording's own times are kept to the nanosecond.
  static func desk(_ name: String = "s1", at start: Int64 = 0) -> [TraceEvent] {
    var script = SessionLines(name, start: start)
    let hello = script.request("initialize", t: 0, params: initialize)
    let welcome = script.answer(hello, t: 5_000_123)
    script.notification(
      "notifications/initialized", t: 6_000_000, done: 7_500_001, after: [welcome])
    script.stream(t: 8_000_001, after: [welcome])
    let search = script.call("search", t: 1_000_000_017, turn: 1, after: [welcome])
    let found = script.answer(search, t: 1_020_000_019)
    let one = script.call("read", t: 3_000_000_001, turn: 2, after: [found])
    let two = script.call("read", t: 3_002_000_003, turn: 2, after: [found])
    let secondRead = script.answer(two, t: 3_030_000_000)
    let firstRead = script.answer(one, t: 3_100_000_007)
    let write = script.call("write", t: 4_000_000_011, turn: 3, after: [firstRead, secondRead])
    let written = script.answer(write, t: 4_050_000_000)
    script.delete(t: 5_000_000_000, done: 5_001_000_000, after: [written])
    return script.events
  }

  static let initialize =
    #"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}"#

  static func traffic(_ events: [TraceEvent]) -> RecordedTraffic {
    var builder = ScriptBuilder()
    for event in events { builder.add(event) }
    return builder.finish()
  }

  static func script(_ events: [TraceEvent]) -> SessionScript {
    traffic(events).scripts.first ?? SessionScript(name: "", endpoint: "", path: "")
  }
}

/// The lines of one session with exact nanoseconds; `n` counts up by itself.
struct SessionLines {
  private(set) var events: [TraceEvent] = []
  private let name: String
  private let start: Int64
  private var n = 0
  private var doneAt: [Int: Int64] = [:]

  init(_ name: String, start: Int64, by: SessionKey.By = .mcpSessionID) {
    self.name = name
    self.start = start
    var line = SessionLine(session: name, t: start, transport: .streamableHTTP)
    line.authority = "h:1"
    line.path = "/mcp"
    line.key = SessionKey(by: by, value: nil, evidence: [by.rawValue], confidence: 1)
    line.start = .seen
    events.append(.session(line))
  }

  @discardableResult
  mutating func request(
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

  @discardableResult
  mutating func call(
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

  @discardableResult
  mutating func answer(
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

  mutating func notification(
    _ method: String, t: Int64, done: Int64, after: [Int] = [], params: String? = nil
  ) {
    n += 1
    var line = NotificationLine(session: name, n: n, t: start + t, dir: .c2s, method: method)
    line.done = start + done
    line.params = params.flatMap { JSONValue(parsing: $0) }.map { RawJSON($0) }
    wait(&line.after, &line.think, after, t)
    events.append(.notification(line))
  }

  mutating func stream(t: Int64, after: [Int]) { http(.streamOpen, "GET", t, t, after) }

  mutating func delete(t: Int64, done: Int64, after: [Int]) {
    http(.delete, "DELETE", t, done, after)
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
