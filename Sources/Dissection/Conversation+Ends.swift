import Basics
import MCP
import NIOCore
import Trace
import Wire

/// How exchanges, streams and sessions end.
extension Conversation {
  /// Writes the line that opens a GET stream, once.
  func openStream(_ exchange: MCPExchange) {
    guard !exchange.isStreamOpen, let session = exchange.session else { return }
    exchange.isStreamOpen = true
    var line = httpLine(exchange, .streamOpen)
    line.session = session.name
    line.n = session === nobody ? nil : session.number()
    line.status = exchange.status
    wait(&line, exchange.streamPlace)
    write(line, of: exchange)
  }

  /// Takes the end of an exchange: nothing of it may stay unsaid.
  func ended(_ exchange: MCPExchange, _ ended: EndedExchange) {
    let role = exchange.role
    exchange.isEventStream = ended.isStream
    takeBody(exchange, ended)
    if role == .messages || role == .delete { settle(exchange, nil) }
    closeRequests(exchange, ended)
    writeDeferred(exchange, done: time(ended.at))
    if role == .stream { closeStream(exchange, ended) }
    for request in exchange.asked { giveUp(request, .s2c, nobody) }
    // No exchange without a line for its request, although that may be no message, or not be seen.
    if !exchange.isShown {
      var line = httpLine(exchange, role == .auth ? .auth : .other)
      if let session = exchange.session, session !== nobody {
        line.session = session.name
        line.n = session.number()
      }
      line.status = exchange.status
      line.done = time(ended.at)
      write(line, of: exchange)
    }
    if let audit = ended.audit {
      var line = exchangeLine(exchange, audit)
      if exchange.response != nil { line.done = time(ended.at) }
      lines.append(line)
    }
    guard let session = exchange.session else { return }
    if session === nobody {
      // Nobody's end is never written: what the server asked here ends with the exchange.
      for request in nobody.openRequests(.s2c) where request.x == exchange.x {
        giveUp(request, .s2c, nobody)
      }
    } else {
      session.openExchanges -= 1
      // Told late, behind the session's end: nothing else closes what it left open.
      for direction in [Direction.c2s, .s2c] where session.isEndWritten {
        for request in session.openRequests(direction) where request.x == exchange.x {
          giveUp(request, direction, session)
        }
      }
      if ended.by == .capture { session.isCut = true }
      endIfOver(session)
    }
  }

  /// Takes the messages of a body that is no stream.
  private func takeBody(_ exchange: MCPExchange, _ ended: EndedExchange) {
    guard exchange.role == .messages, let payload = ended.response.payload,
      let response = exchange.response
    else { return }
    if exchange.session == nil { settle(exchange, payload.first) }
    let carrier = Carrier(
      via: .json, firstByteAt: response.firstByteAt, lastByteAt: ended.at, event: nil, batch: nil)
    _ = served(exchange, payload, carrier)
  }

  /// Gives every request of the exchange that has no answer its response line, unless the answer may still come elsewhere.
  private func closeRequests(_ exchange: MCPExchange, _ ended: EndedExchange) {
    let session = exchange.session ?? nobody
    let status = exchange.status
    // The answer comes on the session's stream, also where the acceptance itself was not recorded.
    let isAccepted =
      session.line.transport == .httpSSE
      && (status == 202 || (status == nil && ended.by == .capture))
    // An id that a hole swallowed counts too.
    let mayResume =
      exchange.isEventStream && (exchange.isResumable || ended.response.hasGap)
    // A stream that ends well but without the answer, because nobody reads it any more.
    let isAbandoned =
      exchange.clientLeftFirst && (200..<300).contains(status ?? 0) && ended.by != .capture
    let by = isAbandoned ? .client : ended.by
    for request in exchange.requests where !request.isClosed {
      if session !== nobody, !session.isEndWritten, isAccepted || mayResume { continue }
      let outcome = OutcomeRule.unanswered(
        status: status, isComplete: ended.isAnswered, by: by,
        knownSession: exchange.namesKnownSession, cancelled: request.cancelledBy != nil)
      var line = ResponseLine(
        session: session.name, n: request.responseN ?? session.number(), re: request.n,
        t: min(time(exchange.response?.firstByteAt ?? ended.at), request.cancelledAt ?? .max),
        dir: .s2c, outcome: outcome)
      line.done = request.cancelledAt ?? time(ended.at)
      line.by = request.cancelledBy != nil ? .client : by
      line.cancelledBy = request.cancelledBy
      line.status = status
      line.conn = exchange.conn
      line.x = exchange.x
      line.headers = redacted(exchange.response?.fields)
      addBody(&line, ended)
      close(request, line, exchange, session)
    }
  }

  /// Writes the lines that waited for the end.
  func writeDeferred(_ exchange: MCPExchange, done: Int64) {
    let status = exchange.status
    for item in exchange.deferred {
      switch item {
      case .notification(var line):
        line.status = status
        line.done = done
        write(line, of: exchange)
      case .response(var line):
        line.status = status
        write(line, of: exchange)
      case .http(var line):
        line.status = status
        line.done = done
        write(line, of: exchange)
        if line.role == .delete, let status, let session = exchange.session {
          if (200..<300).contains(status) { session.ended = session.ended ?? (.deleted, done) }
          if status == 404 { session.ended = session.ended ?? (.lost, done) }
        }
      }
    }
    exchange.deferred = []
  }

  /// Writes how a stream ended, or that it never opened.
  private func closeStream(_ exchange: MCPExchange, _ ended: EndedExchange) {
    let session = exchange.session ?? nobody
    let wasOpen = exchange.isStreamOpen
    var line = httpLine(exchange, wasOpen ? .streamClose : .streamOpen)
    line.session = session.name
    line.n = session === nobody ? nil : session.number()
    line.status = exchange.status
    line.done = time(ended.at)
    if wasOpen {
      line.t = time(ended.at)
      line.headers = nil
      line.how = ended.isAnswered ? "complete" : ended.by.rawValue
    } else {
      wait(&line, exchange.streamPlace)
    }
    write(line, of: exchange)
  }

  /// Writes what other tools take for an exchange of its own: the request with the answer that switched protocols.
  func switched(_ exchange: MCPExchange, _ head: HTTPResponseHead, _ audit: ExchangeAudit) {
    var line = exchangeLine(exchange, audit)
    line.first = time(head.firstByteAt)
    line.done = time(head.endAt)
    line.status = head.status
    line.interim = nil
    line.flags = (line.flags ?? []) + ["upgraded"]
    lines.append(line)
  }

  private func exchangeLine(_ exchange: MCPExchange, _ audit: ExchangeAudit) -> ExchangeLine {
    var line = ExchangeLine(
      x: exchange.x, conn: exchange.conn, t: time(exchange.startedAt),
      method: exchange.request?.method ?? "", target: shownTarget(exchange),
      request: audit.request, response: audit.response)
    line.sent = audit.sentAt.map(time)
    line.first = exchange.response.map { time($0.firstByteAt) }
    line.status = exchange.status
    line.interim = audit.interim.isEmpty ? nil : audit.interim
    line.stream = audit.stream
    line.flags = audit.flags.isEmpty ? nil : audit.flags
    return line
  }
}

extension ByteBuffer {
  /// The readable bytes as text, when they are UTF-8.
  var utf8Text: String? {
    let text = String(buffer: self)
    return text.utf8.count == readableBytes && text.utf8.elementsEqual(readableBytesView)
      ? text : nil
  }
}
