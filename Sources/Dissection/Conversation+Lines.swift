import Basics
import MCP
import Trace
import Wire

/// What goes through the standard input and output of a process: the process is the session, and lines carry messages without
/// any exchange around them.
extension Conversation {
  /// Takes a line of either side.
  func line(_ line: LineMessage) {
    let session = process(line.conn, at: line.firstByteAt)
    let exchange = MCPExchange(line)
    if line.direction == .c2s {
      exchange.content = RequestContent(line.payload)
      exchange.sentAt = line.lastByteAt
      noteOthers(exchange.content.others, of: exchange, at: line.lastByteAt)
      bind(exchange, to: session)
      writeDeferred(exchange, done: time(line.lastByteAt))
      session.openExchanges -= 1
    } else {
      exchange.session = session
      let carrier = Carrier(
        via: .stdio, firstByteAt: line.firstByteAt, lastByteAt: line.lastByteAt, event: nil,
        batch: nil)
      if !session.isAnnounced { announce(session) }
      _ = served(exchange, line.payload, carrier)
    }
  }

  /// The process of a connection as a session; it is open as long as the process is.
  private func process(_ conn: Int, at: Timestamp) -> SessionState {
    if let session = table.session(process: conn) { return session }
    let session = table.create(process: conn, t: time(at))
    session.carried(by: conn)
    session.openExchanges += 1
    return session
  }

  /// Takes the end of a process, or of what was seen of it: who waits for an answer waits no longer.
  func linesEnded(conn: Int, by: ResponseLine.EndedBy, at: Timestamp) {
    guard let session = table.session(process: conn) else { return }
    session.openExchanges -= 1
    session.lastActivity = max(session.lastActivity, time(at))
    if by == .capture {
      session.isCut = true
      return
    }
    for request in session.openRequests(.c2s) where request.cancelledBy == nil {
      var line = ResponseLine(
        session: session.name, n: session.number(), re: request.n, t: time(at), dir: .s2c,
        outcome: OutcomeRule.unanswered(
          status: nil, isComplete: false, by: by, knownSession: false, cancelled: false))
      line.done = time(at)
      line.by = by
      line.conn = conn
      close(request, line, nil, session)
    }
  }
}
