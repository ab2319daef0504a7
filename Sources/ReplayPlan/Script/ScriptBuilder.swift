import Basics
import MCP
import NIOCore
public import Trace

/// Collects the lines of a trace into scripts.
///
/// Theory: a script keeps what the client did and which answers each deed waited for; of the answers it keeps only when they
/// came, how they ended and what later requests took from them. Memory is that of the requests, not of the results.
public struct ScriptBuilder {
  /// What is kept of an answer.
  struct Answer {
    var n: Int
    var re: Int
    var t: Int64
    var done: Int64
    var outcome: Outcome
    var cancelledBy: Int?
    var by: ResponseLine.EndedBy?
    var nextCursor: RawJSON?
    var inputRequests: RawJSON?
    var task: TaskFacts?
    var serverAnswer: SessionScript.ServerAnswer?
  }

  /// The lines of one session.
  struct Lines {
    var session: SessionLine?
    var requests: [RequestLine] = []
    var notifications: [NotificationLine] = []
    var http: [HTTPLine] = []
    var answers: [Answer] = []
    var end: EndLine?
    /// Places of surrogates in requests, by `n`.
    var hidden: [Int: [ValuePath]] = [:]
  }

  private var sessions: [String: Lines] = [:]
  private var order: [String] = []
  private var hiding = HiddenValues()
  private var redactionRules: [String] = []
  /// The first session of each connection, and the connections that have more.
  private var connections: [Int: String] = [:]
  private var sharedConnections: Set<Int> = []
  private var listings: [(session: String, re: Int, tools: [ListedTool])] = []

  private let keepsResults: Bool
  /// Results of calls by session and the request that they answer.
  private var results: [String: [Int: RawJSON]] = [:]

  /// Creates an empty builder; with `keepsResults` it keeps what calls were answered, to compare a run's answers with it.
  public init(keepsResults: Bool = false) { self.keepsResults = keepsResults }

  /// Takes the next line.
  public mutating func add(_ event: TraceEvent) {
    switch event {
    case .session(let line):
      edit(line.session) { $0.session = $0.session?.updated(by: line) ?? line }
    case .header(let line):
      hiding.payloads = line.payloads ?? .full
      redactionRules = (line.redaction?["rules"]?.array ?? []).compactMap(\.string)
    case .request(var line):
      guard let session = line.session else { return }
      let hidden = line.dir == .c2s ? hiding.places(in: line) : []
      if !hidden.isEmpty { edit(session) { $0.hidden[line.n] = hidden } }
      if line.dir == .c2s { note(line.conn, of: session) }
      line.params = line.params.map(ScriptBuilder.copy)
      edit(session) { $0.requests.append(line) }
    case .response(let line):
      guard let session = line.session else { return }
      note(line, session)
    case .notification(var line):
      guard let session = line.session, line.dir == .c2s else { return }
      line.params = line.params.map(ScriptBuilder.copy)
      edit(session) { $0.notifications.append(line) }
    case .http(let line):
      guard let session = line.session, line.n != nil else { return }
      edit(session) { $0.http.append(line) }
    case .end(let line): edit(line.session) { $0.end = line }
    case .connection, .sse, .exchange, .loss, .footer, .unknown: break
    }
  }

  /// Returns the scripts of all sessions that can be replayed.
  public func finish() -> RecordedTraffic {
    var traffic = RecordedTraffic()
    traffic.payloads = hiding.payloads
    traffic.redactionRules = redactionRules
    traffic.sharedConnections = sharedConnections.count
    var assembled: [(script: SessionScript, start: Int64)] = []
    for name in order {
      guard let lines = sessions[name] else { continue }
      if let made = ScriptAssembly(name: name, lines: lines).script() { assembled.append(made) }
    }
    let first = assembled.map(\.start).min() ?? 0
    let mirrors = mirrors()
    for made in assembled {
      var script = made.script
      script.start = made.start - first
      for i in script.steps.indices {
        script.steps[i].mirrors = script.steps[i].tool.flatMap { mirrors[script.endpoint]?[$0] }
      }
      traffic.scripts.append(script)
      traffic.length = max(traffic.length, script.start + script.length)
    }
    traffic.scripts.sort { ($0.start, $0.name) < ($1.start, $1.name) }
    traffic.readOnlyTools = readOnlyTools()
    for (name, results) in results { traffic.results[name] = final(results, in: name) }
    return traffic
  }

  /// Results by the first request of their call: of several rounds and tries, that of the last.
  private func final(_ results: [Int: RawJSON], in name: String) -> [Int: RawJSON] {
    var final: [Int: RawJSON] = [:]
    var first: [Int: Int] = [:]
    for request in (sessions[name]?.requests ?? []).sorted(by: { $0.n < $1.n })
    where request.method == "tools/call" {
      let earlier = request.continues ?? request.retryOf
      first[request.n] = earlier.flatMap { first[$0] } ?? request.n
      if let root = first[request.n] { final[root] = results[request.n] ?? final[root] }
    }
    return final
  }

  private mutating func note(_ conn: Int?, of session: String) {
    guard let conn else { return }
    if connections[conn, default: session] != session { sharedConnections.insert(conn) }
    if connections[conn] == nil { connections[conn] = session }
  }

  private mutating func edit(_ session: String, _ change: (inout Lines) -> Void) {
    if sessions[session] == nil {
      sessions[session] = Lines()
      order.append(session)
    }
    change(&sessions[session, default: Lines()])
  }

  private mutating func note(_ line: ResponseLine, _ session: String) {
    var answer = Answer(
      n: line.n, re: line.re, t: line.t, done: line.done ?? line.t, outcome: line.outcome,
      cancelledBy: line.cancelledBy, by: line.by)
    if line.dir == .c2s {
      let content = (line.result ?? line.error).map(ScriptBuilder.copy)
      let method = sessions[session]?.requests.last { $0.n == line.re }?.method ?? ""
      let isHidden = hiding.isIn(line, of: method)
      answer.serverAnswer = content.map {
        .init(content: $0, isError: line.result == nil, isHidden: isHidden)
      }
    } else if let result = line.result {
      answer.nextCursor = result.member("nextCursor").map(ScriptBuilder.copy)
      answer.inputRequests = result.member("inputRequests").map(ScriptBuilder.copy)
      answer.task = TaskFacts(result)?.kept
      noteListing(result, session, line.re)
      if keepsResults { results[session, default: [:]][line.re] = ScriptBuilder.copy(result) }
    }
    edit(session) { $0.answers.append(answer) }
  }

  private mutating func noteListing(_ result: RawJSON, _ session: String, _ re: Int) {
    guard let tools = result.member("tools")?.value.array else { return }
    listings.append((session, re, tools.compactMap(ListedTool.init)))
  }

  /// Tools that were listed, and by every listing as read-only.
  private func readOnlyTools() -> Set<String> {
    var verdicts: [String: Bool] = [:]
    for tool in listed().flatMap(\.tools) {
      verdicts[tool.name] = verdicts[tool.name, default: true] && tool.isReadOnly
    }
    return Set(verdicts.filter(\.value).keys)
  }

  private func listed() -> [(session: String, re: Int, tools: [ListedTool])] {
    listings.filter { listing in
      sessions[listing.session]?.requests.contains {
        $0.n == listing.re && $0.method == "tools/list"
      } == true
    }
  }

  /// Arguments that headers repeat, by endpoint and tool; of several listings the last holds.
  private func mirrors() -> [String: [String: [ScriptStep.Mirror]]] {
    var mirrors: [String: [String: [ScriptStep.Mirror]]] = [:]
    for listing in listed() {
      guard let session = sessions[listing.session]?.session else { continue }
      let endpoint = (session.authority ?? "") + (session.path ?? "/mcp")
      for tool in listing.tools { mirrors[endpoint, default: [:]][tool.name] = tool.mirrors }
    }
    return mirrors
  }

  /// A copy of its own, so that a few bytes do not pin a chunk of the file.
  private static func copy(_ text: RawJSON) -> RawJSON {
    var bytes = ByteBuffer()
    bytes.reserveCapacity(text.bytes.readableBytes)
    bytes.writeImmutableBuffer(text.bytes)
    return RawJSON(trusted: bytes)
  }
}
