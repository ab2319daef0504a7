import Basics
import MCP
import Trace

/// How sessions end, and how their memory is bounded.
extension Conversation {
  /// Writes the `end` of a session that the protocol ended, once nothing of it is under way.
  func endIfOver(_ session: SessionState) {
    guard session.openExchanges == 0, session.ended?.how == .deleted else { return }
    end(session, how: .deleted, t: session.ended?.t ?? session.lastActivity)
  }

  /// How late a message may be told, nanoseconds: longer than a capture's reader waits for what a hole lacks, at most.
  private static let lateness: Int64 = 70_000_000_000

  /// Ends sessions that were silent for too long, and lets those that are silent forget what only late messages need.
  func sweep(now: Timestamp) {
    let limit = time(now) - options.sessionIdle
    for session in table.all {
      for answer in session.takeEarly(before: now + -Conversation.earlyWait) {
        unmatchedAnswer(answer)
      }
    }
    retire(table.all.filter { $0.openExchanges == 0 && $0.lastActivity < limit })
    for session in table.all { session.settle(before: time(now) - Conversation.lateness) }
  }

  /// Makes room when there are too many sessions: those end that were silent for longest, before those with something open.
  func limitSessions() {
    guard table.all.count > SessionTable.limit else { return }
    let all = table.all.sorted {
      ($0.openExchanges.signum(), $0.lastActivity) < ($1.openExchanges.signum(), $1.lastActivity)
    }
    let surplus = all.prefix(SessionTable.limit / 4)
    for session in surplus { note("limit.sessions", session, at: session.lastActivity) }
    retire(Array(surplus))
  }

  private func retire(_ sessions: [SessionState]) {
    guard !sessions.isEmpty else { return }
    for session in sessions {
      end(session, how: session.ended?.how ?? .idle, t: session.ended?.t ?? session.lastActivity)
    }
    for session in sessions { agents.remove(session) }
    runs.remove(sessions)
    table.remove(sessions)
  }

  /// Gives up the older half of the requests that wait, when those are too many.
  func giveUpSurplus(_ direction: Direction, _ session: SessionState, at t: Int64) {
    for request in session.surplus(direction) {
      note("limit.open_requests", session, at: t)
      giveUp(request, direction, session)
    }
  }

  /// Counts something that befell a session.
  func note(_ kind: String, _ session: SessionState, at t: Int64) {
    var line = LossLine(t: t, kind: kind)
    line.session = session.name
    ledger.note(line, at: t0 + t)
  }

  /// Ends all sessions; `isOpen` tells whether a connection was still open when the recording ended.
  func finish(at: Timestamp, isOpen: (Int) -> Bool) {
    for session in table.all {
      let isOpenAtEnd = session.isCut || session.conns.contains(where: isOpen)
      let how =
        session.ended?.how ?? (isOpenAtEnd ? .captureEnd : .closed)
      end(session, how: how, t: session.ended?.t ?? session.lastActivity)
    }
  }

  private func end(_ session: SessionState, how: EndLine.How, t: Int64) {
    guard !session.isEndWritten else { return }
    session.isEndWritten = true
    for answer in session.takeAllEarly() { unmatchedAnswer(answer) }
    for direction in [Direction.c2s, .s2c] {
      for request in session.openRequests(direction) { giveUp(request, direction, session) }
    }
    session.order.shrink()
    dropValues(session)
    guard let name = session.name, let key = session.agent.map(agents.key) ?? session.line.key
    else { return }
    var line = EndLine(session: name, t: t, how: how, key: key)
    line.agent = session.line.agent
    lines.append(line)
  }

  /// A request whose answer never came while the session was watched.
  func giveUp(_ request: OpenRequest, _ direction: Direction, _ session: SessionState) {
    let t = request.cancelledAt ?? session.lastActivity
    let isCancelled = request.cancelledBy != nil
    var line = ResponseLine(
      session: session.name, n: request.responseN ?? session.number(), re: request.n, t: t,
      dir: direction.reversed,
      outcome: isCancelled ? .cancelled : .unanswered)
    line.done = t
    line.by = isCancelled ? .client : .capture
    line.cancelledBy = request.cancelledBy
    if direction == .c2s {
      line.conn = request.conn
      line.x = request.x
      close(request, line, nil, session)
    } else {
      session.closed(request, .s2c)
      lines.append(line)
    }
  }
}
