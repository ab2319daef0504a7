import Basics
import MCP
import Redaction
import Trace
import Wire

/// What the client says.
extension Conversation {
  /// Writes (or defers) one message of a request's body.
  func said(_ exchange: MCPExchange, _ position: Int, _ session: SessionState) {
    let item = exchange.content.messages[position]
    let batch = exchange.content.isBatch ? position : nil
    switch item.message.kind {
    case .request: requestSaid(exchange, item, batch, session)
    case .notification: notificationSaid(exchange, item.message, item.facts, batch, session)
    case .result, .error: answerSaid(exchange, item, batch, session)
    }
  }

  private func requestSaid(
    _ exchange: MCPExchange, _ item: RequestContent.Item, _ batch: Int?, _ session: SessionState
  ) {
    guard let id = item.message.id else { return }
    let t = time(exchange.startedAt)
    let said = said(item.message, item.facts)
    let resumed = resumed(by: item.message, item.facts, said: said, session)
    let isAgent =
      !Method.isMachinery(item.message.method) && resumed == nil
      && !isAutomaticList(item.message, item.facts, session, t)
    var line = RequestLine(
      session: session.name, n: session.number(), t: t, dir: .c2s, id: id,
      method: item.message.method)
    line.sent = exchange.sentAt.map(time)
    line.tool = item.facts.tool.map(shown)
    let payload = kept(item.message, .params, of: item.message.method)
    line.origin = isAgent ? .agent : .sdk
    var place: CausalOrder.Place?
    if session !== nobody {
      let uses = uses(of: item.message, as: payload, at: t, session)
      let source = item.facts.cursor.flatMap { session.cursors[$0] } ?? uses.map(\.from).max()
      let here = session.order.place(at: t, isAgent: isAgent, source: source)
      place = here
      line.turn = here.turn
      line.after = here.after.isEmpty ? nil : here.after
      line.think = here.latestDone.map { t - $0 }
      if line.after != nil { line.afterBy = reason(item.facts, here, uses, session) }
      line.uses = shown(uses)
    }
    line.continues = resumed?.n
    if Method.isPoll(item.message.method) {
      line.pollOf = item.facts.taskID.flatMap { session.tasks[$0]?.n }
    }
    let token = MessageToken(id)
    if !refused.isEmpty {
      let refusal = RefusalKey(authority: authority(exchange), host: exchange.clientHost, id: token)
      line.retryOf = refused.removeValue(forKey: refusal)
    }
    line.conn = exchange.conn
    line.x = exchange.shownX
    line.via = exchange.via
    line.stream = exchange.stream
    line.batch = batch
    line.headers = batch ?? 0 == 0 ? redacted(exchange.request?.fields, repeating: payload) : nil
    line.params = written(payload)
    line.redacted = places(payload) ?? item.redacted
    line.bytes = item.message.bytes
    let request = OpenRequest(
      n: line.n, t: line.t, id: token, method: item.message.method, tool: item.facts.tool,
      place: place,
      isAgent: isAgent,
      x: exchange.shownX, conn: exchange.conn)
    request.said = said
    if session !== nobody, let progress = item.facts.progressToken {
      session.expectsProgress(progress, of: request)
    }
    exchange.requests.append(request)
    if session !== nobody { session.opened(request, .c2s) }
    write(line, of: exchange)
    if session !== nobody {
      answerEarly(request, session, since: t)
      giveUpSurplus(.c2s, session, at: t)
    }
  }

  /// The strongest reason for a wait. What the protocol passes on is no choice of the agent.
  private func reason(
    _ facts: MessageFacts, _ place: CausalOrder.Place, _ uses: [ValueUse], _ session: SessionState
  ) -> AfterReason {
    if facts.requestState != nil || facts.taskID != nil { return .protocol }
    if let cursor = facts.cursor, let n = session.cursors[cursor], place.after.contains(n) {
      return .protocol
    }
    if uses.contains(where: { place.after.contains($0.from) }) { return .uses }
    return place.after.contains { session.isHandshake($0) } ? .protocol : .order
  }

  private func isAutomaticList(
    _ message: JSONRPCMessage, _ facts: MessageFacts, _ session: SessionState, _ t: Int64
  ) -> Bool {
    guard message.method == Method.toolsList, facts.cursor == nil, let call = session.lastCall
    else { return false }
    return !session.listedTools.contains(call.tool) && t >= call.done
      && t - call.done <= Conversation.automaticListGap
  }

  private func notificationSaid(
    _ exchange: MCPExchange, _ message: JSONRPCMessage, _ facts: MessageFacts, _ batch: Int?,
    _ session: SessionState
  ) {
    let t = time(exchange.startedAt)
    var line = NotificationLine(
      session: session.name, n: session.number(), t: t, dir: .c2s, method: message.method)
    if session !== nobody {
      let place = session.order.place(at: t, isAgent: false)
      line.after = place.after.isEmpty ? nil : place.after
      line.think = place.latestDone.map { t - $0 }
    }
    if let cancels = facts.cancels, message.method == Method.cancelled,
      let request = session.openRequest(cancels, .c2s)
    {
      request.cancelledBy = line.n
      line.re = request.n
      gaveUp(request, at: t, session)
    }
    line.conn = exchange.conn
    line.x = exchange.shownX
    line.via = exchange.via
    line.batch = batch
    let payload = kept(message, .params, of: message.method)
    line.headers = batch ?? 0 == 0 ? redacted(exchange.request?.fields, repeating: payload) : nil
    line.params = written(payload)
    line.bytes = message.bytes
    exchange.deferred.append(.notification(line))
  }

  /// The client waits no longer: what it sends next comes after this, although the response line is written when the exchange ends.
  private func gaveUp(_ request: OpenRequest, at t: Int64, _ session: SessionState) {
    guard request.cancelledAt == nil else { return }
    request.cancelledAt = t
    guard let place = request.place else { return }
    let n = session.number()
    request.responseN = n
    session.order.answered(n: n, done: t, place: place, isAgent: request.isAgent)
  }

  /// The client answers a request of the server.
  private func answerSaid(
    _ exchange: MCPExchange, _ item: RequestContent.Item, _ batch: Int?, _ session: SessionState
  ) {
    let message = item.message
    guard let id = message.id, let request = session.openRequest(id, .s2c) else {
      ledger.note(
        LossLine(
          t: 0, kind: "jsonrpc.unmatched_response", conn: exchange.conn, x: exchange.shownX),
        at: exchange.startedAt)
      return
    }
    session.closed(request, .s2c)
    var line = ResponseLine(
      session: session.name, n: session.number(), re: request.n, t: time(exchange.startedAt),
      dir: .c2s, outcome: message.kind == .error ? .jsonrpcError : .ok)
    line.done = exchange.sentAt.map(time)
    line.by = .client
    line.conn = exchange.conn
    line.x = exchange.shownX
    line.via = exchange.via
    line.batch = batch
    _ = fill(&line, from: message, of: request.method)
    line.redacted = line.redacted ?? item.redacted
    exchange.deferred.append(.response(line))
  }

  /// The client ends its session, or sends what is no message: written when the status is known.
  func noteLater(_ exchange: MCPExchange, _ role: HTTPLine.Role, _ session: SessionState) {
    guard role == .delete || session !== nobody else { return }
    var line = httpLine(exchange, role)
    line.session = session.name
    line.n = session === nobody ? nil : session.number()
    wait(&line, place(exchange, session))
    exchange.deferred.append(.http(line))
  }

  /// Where an exchange without requests stands in its session, told as soon as the session is known.
  func place(_ exchange: MCPExchange, _ session: SessionState) -> CausalOrder.Place? {
    guard session !== nobody else { return nil }
    return session.order.place(at: time(exchange.startedAt), isAgent: false)
  }

  /// Gives an http line the answers it came after.
  func wait(_ line: inout HTTPLine, _ place: CausalOrder.Place?) {
    guard let place, !place.after.isEmpty else { return }
    line.after = place.after
    line.think = place.latestDone.map { line.t - $0 }
  }

  func httpLine(_ exchange: MCPExchange, _ role: HTTPLine.Role) -> HTTPLine {
    var line = HTTPLine(
      x: exchange.x, conn: exchange.conn, t: time(exchange.startedAt),
      method: exchange.request?.method ?? "",
      target: shownTarget(exchange), role: role)
    line.headers = redacted(exchange.request?.fields)
    if let id = exchange.requestHeader(.lastEventID) {
      let shown = shown(eventID: id, of: exchange.session) ?? ""
      line.lastEventID = shown
      if shown != id {
        line.headers = line.headers?.replacingValue(of: "last-event-id", by: shown)
      }
    }
    return line
  }
}
