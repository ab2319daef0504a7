import Basics
import MCP
import NIOCore
import ReplayPlan
import Trace
import Wire

/// Writes down one agent's run in the trace's own terms: what was sent, and what came back.
///
/// Confined to the agent. Lines are complete when they are appended; `after` names the answers of this run.
struct AgentTranscript {
  /// Lines that wait to be written.
  var events: [TraceEvent] = []
  let script: AgentScript
  private var session: SessionLine
  private var n = 0
  private var exchanges: [Int: Exchange] = [:]
  private var ids: [Int: RawJSON] = [:]
  var requestN: [Int: Int] = [:]
  var answerN: [Int: Int] = [:]
  var answeredAt: [Int: Int64] = [:]
  /// The steps that each waited for in this run.
  var waits: [Int: [Int]] = [:]
  /// The turns of this run, by step, and the latest of the agent's.
  var turns: [Int: Int] = [:]
  var latestTurn = 0
  private var carriers: [Int: Exchange] = [:]
  private var answers: [RawJSON: Answer] = [:]
  private var serverRequests: [RawJSON: Int] = [:]
  private var wasDeleted = false

  init(_ script: AgentScript, _ plan: PlannedAgent, name: String, target: ReplayTarget) {
    self.script = script
    session = SessionLine(session: name, t: plan.start, transport: .streamableHTTP)
    session.authority = target.authority
    session.path = target.path ?? script.session.path
    session.client = script.session.client
    if target.command != nil {
      session.transport = .stdio
      session.path = nil
      session.authority = nil
    }
    session.agent = "\(script.session.name).\(plan.clone)"
    session.start = .seen
    session.extra.append(
      ExtraMember(
        key: "source",
        value: RawJSON(
          .object([
            .init("session", .string(script.session.name)), .init("clone", .int(plan.clone)),
            .init("start", .int(plan.start)),
          ]))))
  }

  private var name: String { session.session }
  private var isStdio: Bool { session.transport == .stdio }
  /// What the messages of a stdio server belong to that answer nothing.
  static let processExchange = 0

  private mutating func nextN() -> Int {
    n += 1
    return n
  }

  /// Takes a request that was given to the kernel.
  mutating func sent(_ transmission: Transmission, conn: Int, x: Int?, at: Int64) {
    let bytes = transmission.bytes
    let body = bytes.getSlice(
      at: bytes.writerIndex - transmission.bodyLength, length: transmission.bodyLength)
    let message = body.flatMap { JSONRPCPayload($0).messages.first }
    if n == 0 {
      session.t = at
      session.client = message?.content.flatMap(AgentTranscript.client) ?? session.client
      events.append(.session(session))
      if isStdio {
        exchanges[AgentTranscript.processExchange] = Exchange(
          x: nil, conn: conn, at: at, purpose: .serverAnswer(""))
      }
    }
    var exchange = Exchange(x: x, conn: conn, at: at, purpose: transmission.purpose)
    switch transmission.purpose {
    case .step(let i), .recovery(let i):
      if let message, message.kind == .request {
        request(i, message, exchange)
      } else if let message {
        exchange.notification = notification(message, exchange, step: i)
      }
    case .cancelNotice(let i):
      if let message { exchange.notification = notification(message, exchange, step: nil) }
      exchange.notification?.re = requestN[i]
    case .serverAnswer: if let message { serverAnswer(message, exchange) }
    case .resume: break
    }
    exchanges[transmission.exchange] = exchange
  }

  /// Who a client says it is, which may be a row of a feed.
  private static func client(_ params: RawJSON) -> Implementation? {
    let info =
      params.member("clientInfo")
      ?? params.member("_meta")?.member("io.modelcontextprotocol/clientInfo")
    guard let name = info?.member("name")?.string else { return nil }
    return Implementation(name: name, version: info?.member("version")?.string ?? "")
  }

  private mutating func request(_ i: Int, _ message: JSONRPCMessage, _ exchange: Exchange) {
    let step = script.session.steps[i]
    guard let id = message.id else { return }
    var line = RequestLine(
      session: name, n: nextN(), t: exchange.at, dir: .c2s, id: id, method: message.method)
    line.tool = step.tool
    line.origin = step.origin
    let waited = waited(step)
    let wait = wait(waited, exchange.at)
    line.turn = turn(of: i, after: waited)
    if waits[i] == nil { waits[i] = waited }
    line.after = wait.after
    line.think = wait.think
    line.afterBy = wait.after == nil ? nil : step.afterBy
    if let earlier = requestN[i] {
      let isRound =
        message.content?.member("requestState") != nil
        || message.content?.member("inputResponses") != nil
      if isRound {
        line.continues = earlier
      } else if message.method == "tasks/get" || step.isLastPage {
        // Each poll or page follows the answer to the one before.
        line.after = answerN[i].map { [$0] }
        line.think = answeredAt[i].map { exchange.at - $0 }
      } else {
        line.retryOf = earlier
      }
    }
    if message.method == "tasks/get" {
      line.pollOf = step.taskOf.flatMap { requestN[$0] } ?? requestN[i]
    }
    line.params = message.content
    line.uses = uses(step)
    line.via = isStdio ? .stdio : .post
    line.conn = exchange.conn
    line.x = exchange.x
    line.bytes = message.bytes
    requestN[i] = line.n
    ids[i] = id
    carriers[i] = exchange
    events.append(.request(line))
  }

  /// The values that it took of answers of this run.
  private func uses(_ step: ScriptStep) -> JSONValue? {
    let uses = step.bindings.compactMap { binding -> JSONValue? in
      let value = script.session.values[binding.value]
      return answerN[value.step].map {
        var use = ValueUse(
          at: "\(binding.at)", from: $0, path: "\(value.source.path)")
        use.within = value.source.within
        use.atWithin = binding.within
        return use.json
      }
    }
    return uses.isEmpty ? nil : .array(uses)
  }

  private mutating func notification(
    _ message: JSONRPCMessage, _ exchange: Exchange, step: Int?
  ) -> NotificationLine {
    var line = NotificationLine(
      session: name, n: nextN(), t: exchange.at, dir: .c2s, method: message.method)
    if let step {
      let wait = wait(waited(script.session.steps[step]), exchange.at)
      line.after = wait.after
      line.think = wait.think
    }
    line.conn = exchange.conn
    line.x = exchange.x
    line.via = isStdio ? .stdio : .post
    line.params = message.content
    line.bytes = message.bytes
    return line
  }

  private mutating func serverAnswer(_ message: JSONRPCMessage, _ exchange: Exchange) {
    guard let id = message.id, let re = serverRequests[id] else { return }
    let isError = message.kind == .error
    var line = ResponseLine(
      session: name, n: nextN(), re: re, t: exchange.at, dir: .c2s,
      outcome: isError ? .jsonrpcError : .ok)
    line.done = exchange.at
    line.by = .client
    line.conn = exchange.conn
    line.x = exchange.x
    if isError { line.error = message.content } else { line.result = message.content }
    line.bytes = message.bytes
    events.append(.response(line))
  }

  /// Takes what a server says on an exchange's connection.
  mutating func received(_ number: Int, _ event: AnswerDecoder.Event) {
    guard var exchange = exchanges[number] else { return }
    switch event {
    case .head(let status, _, let at):
      exchange.status = status
      exchanges[number] = exchange
      if isStream(exchange) { http(.streamOpen, exchange, done: at) }
    case .message(let message, let isEvent, let first, let at):
      take(message, isEvent, first, at, &exchange)
      exchanges[number] = exchange
    case .endpoint where session.transport == .streamableHTTP && isStream(exchange):
      session.transport = .httpSSE
      events.append(.session(session))
    case .position, .endpoint: break
    case .end(_, _, _, let at): end(number, at)
    case .garbage(let bytes, let at):
      events.append(
        .loss(
          LossLine(
            t: at, kind: "http.malformed", bytes: bytes, conn: exchange.conn, x: exchange.x)))
      end(number, at)
    }
  }

  /// Takes that an exchange's connection failed.
  mutating func failed(_ number: Int, at: Int64) { end(number, at) }

  private mutating func take(
    _ message: JSONRPCMessage, _ isEvent: Bool, _ first: Int64, _ at: Int64,
    _ exchange: inout Exchange
  ) {
    let via: Via = isStdio ? .stdio : !isEvent ? .json : isStream(exchange) ? .getSSE : .postSSE
    switch message.kind {
    case .result, .error:
      if let id = message.id {
        answers[id] = Answer(message: message, via: via, x: exchange.x, conn: exchange.conn)
      }
      if message.kind == .error { exchange.error = message }
    case .request:
      guard let id = message.id else { return }
      var line = RequestLine(
        session: name, n: nextN(), t: first, dir: .s2c, id: id, method: message.method)
      line.sent = at
      line.params = message.content
      line.conn = exchange.conn
      line.x = exchange.x
      line.via = isStdio ? .stdio : .sse
      line.bytes = message.bytes
      serverRequests[id] = line.n
      events.append(.request(line))
    case .notification:
      var line = NotificationLine(
        session: name, n: nextN(), t: first, dir: .s2c, method: message.method)
      line.done = at
      line.params = message.content
      line.conn = exchange.conn
      line.x = exchange.x
      line.via = isStdio ? .stdio : .sse
      line.bytes = message.bytes
      events.append(.notification(line))
    }
  }

  private func isStream(_ exchange: Exchange) -> Bool {
    switch exchange.purpose {
    case .step(let i), .recovery(let i): script.session.steps[i].kind == .openStream
    case .resume: true
    case .serverAnswer, .cancelNotice: false
    }
  }

  private mutating func http(_ role: HTTPLine.Role, _ exchange: Exchange, done: Int64) {
    let isDelete = role == .delete
    var line = HTTPLine(
      x: exchange.x ?? 0, conn: exchange.conn, t: role == .streamClose ? done : exchange.at,
      method: isDelete ? "DELETE" : "GET", target: session.path ?? "/", role: role)
    line.session = name
    line.n = nextN()
    line.done = done
    line.status = exchange.status
    if case .step(let i) = exchange.purpose, role != .streamClose {
      let wait = wait(waited(script.session.steps[i]), exchange.at)
      line.after = wait.after
      line.think = wait.think
    }
    if role == .streamClose { line.how = "complete" }
    events.append(.http(line))
  }

  private mutating func end(_ number: Int, _ at: Int64) {
    guard let exchange = exchanges.removeValue(forKey: number) else { return }
    if var line = exchange.notification {
      line.done = at
      line.status = exchange.status
      events.append(.notification(line))
    }
    switch exchange.purpose {
    case .step(let i) where script.session.steps[i].kind == .delete:
      wasDeleted = exchange.status.map { (200..<300).contains($0) } ?? false
      http(.delete, exchange, done: at)
    case .step(let i) where script.session.steps[i].kind == .request,
      .recovery(let i) where script.session.steps[i].kind == .request:
      if carriers[i]?.x == exchange.x { carriers[i] = exchange }
    case .step, .resume, .recovery:
      if isStream(exchange), exchange.status.map({ (200..<300).contains($0) }) == true {
        http(.streamClose, exchange, done: at)
      }
    case .serverAnswer, .cancelNotice: break
    }
  }

  /// Takes how a request ended, for good or for this round.
  mutating func ended(_ record: RequestRecord) {
    guard let re = requestN[record.step], let carrier = carriers[record.step] else { return }
    let answer = ids[record.step].flatMap { answers.removeValue(forKey: $0) }
    let isClients = record.outcome == .timeout || record.outcome == .cancelled
    var line = ResponseLine(
      session: name, n: nextN(), re: re, t: min(record.first ?? record.done, record.done),
      dir: .s2c, outcome: record.outcome)
    line.t = max(line.t, carrier.at)
    line.done = max(line.t, record.done)
    line.by = isClients ? .client : record.outcome == .unanswered ? .capture : .server
    line.status = record.status
    line.code = record.code
    line.conn = answer?.conn ?? carrier.conn
    line.x = answer?.x ?? carrier.x
    line.via = answer?.via
    let message =
      answer?.message ?? exchanges.values.first { $0.x != nil && $0.x == carrier.x }?.error
      ?? carrier.error
    if message?.kind == .result { line.result = message?.content }
    if message?.kind == .error { line.error = message?.content }
    line.bytes = message?.bytes
    answerN[record.step] = line.n
    answeredAt[record.step] = line.done
    events.append(.response(line))
    if script.session.steps[record.step].method == "initialize", let result = line.result {
      learn(result)
    }
  }

  private mutating func learn(_ result: RawJSON) {
    session.revision = result.member("protocolVersion")?.string
    if let server = result.member("serverInfo"), let name = server.member("name")?.string {
      session.server = Implementation(
        name: name, version: server.member("version")?.string ?? "")
    }
    events.append(.session(session))
  }

  /// The agent is through; what is still open ends with it.
  mutating func finish(_ end: AgentEnd, hasSessionID: Bool, at: Int64) {
    for number in exchanges.keys.sorted() { self.end(number, at) }
    guard n > 0 else { return }
    let by: SessionKey.By =
      switch (session.transport, script.session.key?.by) {
      case (.stdio, _): .stdio
      case (.httpSSE, _): .sseEndpoint
      case (.streamableHTTP, _) where hasSessionID: .mcpSessionID
      case (.streamableHTTP, .sseEndpoint), (.streamableHTTP, nil): .clientInfo
      case (.streamableHTTP, let recorded?): recorded
      }
    events.append(
      .end(
        EndLine(
          session: name, t: at,
          how: wasDeleted ? .deleted : end.lostSession ? .lost : .closed,
          key: SessionKey(by: by, value: nil, evidence: [by.rawValue], confidence: 1))))
  }
}
