import Basics
import MCP
import NIOCore
import Redaction
import Trace
import Wire

/// What the server says.
extension Conversation {
  /// Where a message of the server was found.
  struct Carrier {
    var via: Via
    var firstByteAt: Timestamp
    var lastByteAt: Timestamp
    var event: StreamEvent?
    var batch: Int?
  }

  /// Takes an event of a stream.
  func streamed(_ exchange: MCPExchange, _ heard: HeardEvent) {
    let event = heard.event
    if event.id != nil { exchange.isResumable = true }
    if event.name == "endpoint", exchange.role == .stream, let data = event.data {
      endpointNamed(String(buffer: data), exchange)
    }
    guard let payload = heard.payload else {
      if exchange.role == .stream {
        settle(exchange, nil)
        openStream(exchange)
      }
      remark(exchange, event)
      return
    }
    if exchange.session == nil { settle(exchange, payload.first) }
    if exchange.role == .stream { openStream(exchange) }
    let carrier = Carrier(
      via: exchange.role == .stream ? .getSSE : .postSSE, firstByteAt: event.firstByteAt,
      lastByteAt: event.lastByteAt, event: description(event, of: exchange.session), batch: nil)
    if !served(exchange, payload, carrier) {
      ledger.note(
        LossLine(t: 0, kind: "sse.not_jsonrpc", conn: exchange.conn, x: exchange.x),
        at: event.lastByteAt)
    }
  }

  private func description(_ event: SSEEvent, of session: SessionState?) -> StreamEvent? {
    guard event.id != nil || event.name != nil else { return nil }
    return StreamEvent(id: shown(eventID: event.id, of: session), name: event.name.map(shown))
  }

  /// Writes what a stream carries besides messages.
  private func remark(_ exchange: MCPExchange, _ event: SSEEvent) {
    let kind: SSELine.Kind =
      event.comment != nil ? .comment : event.id != nil ? .priming : .retry
    guard kind != .retry || event.retry != nil else { return }
    var line = SSELine(x: exchange.x, t: time(event.lastByteAt), kind: kind)
    line.id = shown(eventID: event.id, of: exchange.session)
    line.retry = event.retry
    lines.append(line)
  }

  /// HTTP+SSE (2024-11-05): the first event names the URL for messages, and so the session.
  private func endpointNamed(_ url: String, _ exchange: MCPExchange) {
    guard exchange.session == nil else { return }
    // An absolute URL is cut down to its path: `scheme://authority/path`.
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    let isAbsolute = parts.count >= 3 && parts[0].hasSuffix(":") && parts[1].isEmpty
    let target = isAbsolute ? "/" + (parts.count > 3 ? parts[3] : "") : Substring(url)
    let session = table.create(
      endpoint: String(target),
      surrogate: options.redactor?.endpoint(String(target)) ?? String(target),
      authority: authority(exchange), path: exchange.path, t: time(exchange.startedAt))
    bind(exchange, to: session)
  }

  /// Writes the messages of the server that came in one piece; false when there are none.
  func served(_ exchange: MCPExchange, _ payload: JSONRPCPayload, _ carrier: Carrier) -> Bool {
    switch payload {
    case .single(let message): served(exchange, message, carrier)
    case .batch(let messages, let others):
      noteOthers(others, of: exchange, at: carrier.lastByteAt)
      for (position, message) in messages.enumerated() {
        var carrier = carrier
        carrier.batch = position
        served(exchange, message, carrier)
      }
    case .otherJSON, .notJSON: return false
    }
    return true
  }

  /// Counts the elements of a batch that are no messages; their bytes are the exchange's.
  func noteOthers(_ count: Int, of exchange: MCPExchange, at: Timestamp) {
    guard count > 0 else { return }
    ledger.note(
      LossLine(t: 0, kind: "jsonrpc.not_message", conn: exchange.conn, x: exchange.shownX),
      count: count, at: at)
  }

  /// Writes one message of the server.
  private func served(_ exchange: MCPExchange, _ message: JSONRPCMessage, _ carrier: Carrier) {
    let session = exchange.session ?? nobody
    session.lastActivity = max(session.lastActivity, time(carrier.lastByteAt))
    switch message.kind {
    case .request: asked(exchange, message, carrier, session)
    case .notification: notified(exchange, message, carrier, session)
    case .result, .error:
      let requests = match(exchange, message, session, doneAt: carrier.lastByteAt)
      if requests.isEmpty {
        let early = EarlyAnswer(exchange: exchange, message: message, carrier: carrier)
        let waits = exchange.role == .stream && session !== nobody
        if let unmatched = waits ? session.keep(early) : early { unmatchedAnswer(unmatched) }
      }
      for request in requests { answer(request, message, carrier, exchange, session) }
    }
  }

  /// Counts an answer that nobody asked for.
  func unmatchedAnswer(_ answer: EarlyAnswer) {
    ledger.note(
      LossLine(
        t: 0, kind: "jsonrpc.unmatched_response", conn: answer.exchange.conn,
        x: answer.exchange.shownX),
      at: answer.carrier.lastByteAt)
  }

  /// Takes the answer on a stream that was told before its request, as happens where a capture has holes, or was captured
  /// before it: two connections reach a capture by different ways.
  func answerEarly(_ request: OpenRequest, _ session: SessionState, since t: Int64) {
    guard let early = session.takeEarly(request.id) else { return }
    guard t - time(early.carrier.lastByteAt) <= Conversation.disorder else {
      return unmatchedAnswer(early)
    }
    answer(request, early.message, early.carrier, early.exchange, session)
  }

  /// By exchange first (ids may repeat), then by id in the session (GET streams, resumed streams). An error of the transport has
  /// an id of its own making ("server-error", `null`): it belongs to the exchange's only request, or to all of a refused batch.
  private func match(
    _ exchange: MCPExchange, _ message: JSONRPCMessage, _ session: SessionState, doneAt: Timestamp
  ) -> [OpenRequest] {
    let token = message.id.map(MessageToken.init)
    if let token,
      let request = exchange.requests.first(where: { !$0.isClosed && $0.id == token })
    {
      return [request]
    }
    let own = exchange.requests.filter { !$0.isClosed }
    // What was asked later, with an id used again, is not what this answers.
    if let id = message.id, exchange.role == .stream || own.isEmpty,
      let request = session.openRequest(id, .c2s),
      request.t - time(doneAt) <= (exchange.role == .stream ? Conversation.disorder : 0)
    {
      return [request]
    }
    guard message.kind == .error else { return [] }
    let isRefusal = (exchange.status ?? 0) >= 400
    return own.count == 1 || isRefusal ? own : []
  }

  private func answer(
    _ request: OpenRequest, _ message: JSONRPCMessage, _ carrier: Carrier,
    _ exchange: MCPExchange, _ session: SessionState
  ) {
    let result = message.kind == .result ? ResultFacts(message) : nil
    let status = exchange.status
    let outcome = OutcomeRule.answered(
      message, result: result, status: status, knownSession: exchange.namesKnownSession,
      cancelled: request.cancelledBy != nil)
    var line = ResponseLine(
      session: session.name, n: request.responseN ?? session.number(), re: request.n,
      t: min(time(carrier.firstByteAt), request.cancelledAt ?? .max), dir: .s2c, outcome: outcome)
    // An answer to a request that the client gave up ends nothing: the wait was over then, as later lines say.
    line.done = request.cancelledAt ?? time(carrier.lastByteAt)
    line.by = request.cancelledBy == nil ? .server : .client
    line.cancelledBy = request.cancelledBy
    line.status = status
    line.conn = exchange.conn
    line.x = exchange.shownX
    line.via = carrier.via
    line.event = carrier.event
    line.batch = carrier.batch
    line.headers = responseHeaders(exchange, carrier.via)
    let payload = fill(&line, from: message, of: request.method)
    close(request, line, exchange, session)
    guard let result, session !== nobody else { return }
    learn(result, from: line, of: request, session)
    noteQuestion(message, result, of: request, session)
    if !result.isError {
      learnValues(message, as: payload, from: line, exchange, of: request, session)
    }
  }

  /// The response's header fields, once an exchange; those of a GET stream belong to no message.
  private func responseHeaders(_ exchange: MCPExchange, _ via: Via) -> HeaderFields? {
    guard via != .getSSE, !exchange.headersWritten else { return nil }
    exchange.headersWritten = true
    return redacted(exchange.response?.fields)
  }

  /// Writes a request's response line and lets later requests depend on it.
  func close(
    _ request: OpenRequest, _ line: ResponseLine, _ exchange: MCPExchange?, _ session: SessionState
  ) {
    session.closed(request, .c2s)
    request.isClosed = true
    if let exchange {
      write(line, of: exchange)
      if line.status == 401 {
        let key = RefusalKey(
          authority: authority(exchange), host: exchange.clientHost, id: request.id)
        if refused.count < 1024 { refused[key] = request.n }
      }
    } else {
      lines.append(line)
    }
    if line.outcome == .sessionLost { session.ended = session.ended ?? (.lost, line.t) }
    if request.responseN == nil, let place = request.place, let done = line.done,
      line.outcome != .unanswered
    {
      session.order.answered(n: line.n, done: done, place: place, isAgent: request.isAgent)
      if let tool = request.tool { session.lastCall = (tool, done) }
    }
  }

  /// Notes what later messages may refer to.
  private func learn(
    _ result: ResultFacts, from line: ResponseLine, of request: OpenRequest,
    _ session: SessionState
  ) {
    var isAllKept = true
    if let cursor = result.nextCursor {
      isAllKept = session.remember(cursor, line.n, in: \.cursors)
    }
    if let state = result.requestState {
      isAllKept = session.remember(state, request, in: \.requestStates) && isAllKept
    }
    if let task = result.taskID, request.method == Method.toolsCall {
      isAllKept = session.remember(task, request, in: \.tasks) && isAllKept
    }
    if request.method == Method.toolsList {
      isAllKept = session.list(result.toolNames) && isAllKept
    }
    if request.method == Method.initialize || request.method == Method.discover {
      isAllKept = session.shakeHands(line.n) && isAllKept
    }
    if !isAllKept { note("limit.session_values", session, at: line.t) }
    var isNew = false
    if request.method == Method.initialize, let revision = result.revision?.description,
      session.line.revision != revision
    {
      session.line.revision = revision
      isNew = true
    }
    if session.line.server == nil, let server = result.server {
      session.line.server = server
      isNew = true
    }
    if isNew, !session.isEndWritten { announce(session) }
  }

  /// The server asks the client something.
  private func asked(
    _ exchange: MCPExchange, _ message: JSONRPCMessage, _ carrier: Carrier,
    _ session: SessionState
  ) {
    guard let id = message.id else { return }
    var line = RequestLine(
      session: session.name, n: session.number(), t: time(carrier.firstByteAt), dir: .s2c, id: id,
      method: message.method)
    line.sent = time(carrier.lastByteAt)
    line.conn = exchange.conn
    line.x = exchange.shownX
    line.via = carrier.via == .stdio ? .stdio : .sse
    line.batch = carrier.batch
    line.params = written(kept(message, .params, of: message.method))
    line.bytes = message.bytes
    let request = OpenRequest(
      n: line.n, t: line.t, id: MessageToken(id), method: message.method, tool: nil, place: nil,
      isAgent: false,
      x: exchange.shownX, conn: exchange.conn)
    write(line, of: exchange)
    if session === nobody {
      exchange.asked.append(request)
    } else {
      session.opened(request, .s2c)
      giveUpSurplus(.s2c, session, at: line.t)
    }
  }

  private func notified(
    _ exchange: MCPExchange, _ message: JSONRPCMessage, _ carrier: Carrier,
    _ session: SessionState
  ) {
    var line = NotificationLine(
      session: session.name, n: session.number(), t: time(carrier.firstByteAt), dir: .s2c,
      method: message.method)
    line.done = time(carrier.lastByteAt)
    if let token = MessageFacts.progressToken(of: message) {
      line.re = session.request(ofProgress: token)
    }
    if line.re == nil, exchange.requests.count == 1 { line.re = exchange.requests.first?.n }
    line.conn = exchange.conn
    line.x = exchange.shownX
    line.via = carrier.via == .json || carrier.via == .stdio ? carrier.via : .sse
    line.event = carrier.event
    line.batch = carrier.batch
    line.params = written(kept(message, .params, of: message.method))
    line.bytes = message.bytes
    write(line, of: exchange)
  }
}
