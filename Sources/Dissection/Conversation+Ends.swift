import Basics
import MCP
import NIOCore
import Trace
import Wire

/// How exchanges, streams and sessions end.
extension Conversation {
  /// Writes the line that opens a GET stream, once.
  func openStream(_ exchange: HTTPExchange) {
    guard !exchange.mcp.isStreamOpen, let session = exchange.mcp.session else { return }
    exchange.mcp.isStreamOpen = true
    var line = httpLine(exchange, .streamOpen)
    line.session = session.name
    line.n = session === nobody ? nil : session.number()
    line.status = exchange.status
    wait(&line, exchange.mcp.streamPlace)
    write(.http(line), of: exchange)
  }

  /// Takes the end of an exchange: nothing of it may stay unsaid.
  func ended(_ exchange: HTTPExchange, by: ResponseLine.EndedBy) {
    let role = exchange.mcp.role
    takeBody(exchange)
    if role == .messages || role == .delete { settle(exchange, nil) }
    closeRequests(exchange, by)
    writeDeferred(exchange)
    if role == .stream { closeStream(exchange, by) }
    for request in exchange.mcp.asked { giveUp(request, .s2c, nobody) }
    // No exchange without a line for its request, although that may be no message, or not be seen.
    if !exchange.mcp.isShown {
      var line = httpLine(exchange, role == .auth ? .auth : .other)
      if let session = exchange.mcp.session, session !== nobody {
        line.session = session.name
        line.n = session.number()
      }
      line.status = exchange.status
      line.done = exchange.doneAt.map(time)
      write(.http(line), of: exchange)
    }
    if options.exchanges { lines.append(.exchange(audit(exchange))) }
    guard let session = exchange.mcp.session else { return }
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
      if by == .capture { session.isCut = true }
      endIfOver(session)
    }
  }

  /// Reads a body that is no stream.
  private func takeBody(_ exchange: HTTPExchange) {
    guard exchange.sse == nil, let response = exchange.response,
      exchange.responseBody.isComplete, exchange.responseBody.bytes.readableBytes > 0,
      exchange.mcp.role == .messages
    else { return }
    let payload = JSONRPCPayload(exchange.responseBody.bytes)
    settle(exchange, payload.first)
    let carrier = Carrier(
      via: .json, firstByteAt: response.firstByteAt,
      lastByteAt: exchange.doneAt ?? response.endAt, event: nil, batch: nil)
    _ = served(exchange, payload, carrier)
  }

  /// Gives every request of the exchange that has no answer its response line, unless the answer may still come elsewhere.
  private func closeRequests(_ exchange: HTTPExchange, _ by: ResponseLine.EndedBy) {
    let session = exchange.mcp.session ?? nobody
    let status = exchange.status
    // The answer comes on the session's stream, also where the acceptance itself was not recorded.
    let isAccepted =
      session.line.transport == .httpSSE && (status == 202 || (status == nil && by == .capture))
    // An id that a hole swallowed counts too.
    let mayResume =
      exchange.sse != nil && (exchange.mcp.isResumable || exchange.responseBody.hasGap)
    // A stream that ends well but without the answer, because nobody reads it any more.
    let isAbandoned =
      exchange.clientLeftFirst && (200..<300).contains(status ?? 0) && by != .capture
    let by = isAbandoned ? .client : by
    for request in exchange.mcp.requests where !request.isClosed {
      if session !== nobody, !session.isEndWritten, isAccepted || mayResume { continue }
      let outcome = OutcomeRule.unanswered(
        status: status, isComplete: exchange.isAnswered, by: by,
        knownSession: exchange.mcp.namesKnownSession, cancelled: request.cancelledBy != nil)
      let at = exchange.doneAt ?? exchange.sentAt ?? exchange.startedAt
      let over = request.cancelledAt ?? .max
      var line = ResponseLine(
        session: session.name, n: request.responseN ?? session.number(), re: request.n,
        t: min(time(exchange.response?.firstByteAt ?? at), over), dir: .s2c, outcome: outcome)
      line.done = min(time(at), over)
      line.by = request.cancelledBy != nil ? .client : by
      line.cancelledBy = request.cancelledBy
      line.status = status
      line.conn = exchange.conn.number
      line.x = exchange.x
      line.headers = redacted(exchange.response?.fields)
      addBody(&line, exchange)
      close(request, line, exchange, session)
    }
  }

  /// A body that is no JSON-RPC message is kept as it is.
  private func addBody(_ line: inout ResponseLine, _ exchange: HTTPExchange) {
    let body = exchange.responseBody
    guard exchange.sse == nil, body.bytes.readableBytes > 0 else { return }
    line.bytes = body.count
    guard options.payloads == .full else { return }
    if body.isTruncated { line.truncated = true }
    if let text = body.bytes.utf8Text {
      line.body = text
    } else {
      line.raw = Base64.encode(body.bytes)
    }
  }

  private func writeDeferred(_ exchange: HTTPExchange) {
    let status = exchange.status
    let done = exchange.doneAt.map(time)
    for item in exchange.mcp.deferred {
      switch item {
      case .notification(var line):
        line.status = status
        line.done = done
        write(.notification(line), of: exchange)
      case .response(var line):
        line.status = status
        write(.response(line), of: exchange)
      case .http(var line):
        line.status = status
        line.done = done
        write(.http(line), of: exchange)
        if line.role == .delete, let status, let session = exchange.mcp.session {
          let t = done ?? line.t
          if (200..<300).contains(status) { session.ended = session.ended ?? (.deleted, t) }
          if status == 404 { session.ended = session.ended ?? (.lost, t) }
        }
      }
    }
    exchange.mcp.deferred = []
  }

  /// Writes how a stream ended, or that it never opened.
  private func closeStream(_ exchange: HTTPExchange, _ by: ResponseLine.EndedBy) {
    let session = exchange.mcp.session ?? nobody
    let end = exchange.doneAt ?? exchange.startedAt
    let wasOpen = exchange.mcp.isStreamOpen
    var line = httpLine(exchange, wasOpen ? .streamClose : .streamOpen)
    line.session = session.name
    line.n = session === nobody ? nil : session.number()
    line.status = exchange.status
    line.done = time(end)
    if wasOpen {
      line.t = time(end)
      line.headers = nil
      line.how = exchange.isAnswered ? "complete" : by.rawValue
    } else {
      wait(&line, exchange.mcp.streamPlace)
    }
    write(.http(line), of: exchange)
  }

  /// Writes what other tools take for an exchange of its own: the request with the answer that switched protocols.
  func switched(_ exchange: HTTPExchange, _ head: HTTPResponseHead) {
    guard options.exchanges else { return }
    var line = audit(exchange)
    line.first = time(head.firstByteAt)
    line.done = time(head.endAt)
    line.status = head.status
    line.interim = nil
    line.flags = (line.flags ?? []) + ["upgraded"]
    lines.append(.exchange(line))
  }

  private func audit(_ exchange: HTTPExchange) -> ExchangeLine {
    var line = ExchangeLine(
      x: exchange.x, conn: exchange.conn.number, t: time(exchange.startedAt),
      method: exchange.request?.method ?? "",
      target: shownTarget(exchange),
      request: .init(bytes: exchange.requestBody.count, sha256: exchange.requestBody.sha256),
      response: .init(bytes: exchange.responseBody.count, sha256: exchange.responseBody.sha256))
    line.sent = exchange.sentAt.map(time)
    line.first = exchange.response.map { time($0.firstByteAt) }
    line.done = exchange.response == nil ? nil : exchange.doneAt.map(time)
    line.status = exchange.status
    line.interim = exchange.interim.isEmpty ? nil : exchange.interim
    line.stream = exchange.stream
    line.flags = exchange.flags.isEmpty ? nil : exchange.flags
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
