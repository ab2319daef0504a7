/// What is open at a place in a recording: the lines that its next segment begins with.
///
/// Memory is that of the connections and sessions that are open.
struct OpenLines {
  private struct Session {
    var line: SessionLine?
    var nextN = 0
  }

  private var connections: [Int: ConnectionLine] = [:]
  private var sessions: [String: Session] = [:]

  mutating func note(_ line: ConnectionLine) {
    connections[line.conn] = line.closed == nil ? line : nil
  }

  mutating func note(_ line: SessionLine) {
    let known = sessions[line.session]?.line
    sessions[line.session, default: Session()].line = known?.updated(by: line) ?? line
  }

  /// Notes that a line of a session has the number `n`.
  mutating func note(_ session: String?, _ n: Int?) {
    // What comes behind a session's end does not open it again.
    guard let session, let n, let next = sessions[session]?.nextN else { return }
    sessions[session]?.nextN = max(next, n + 1)
  }

  mutating func note(_ line: EndLine) { sessions[line.session] = nil }

  /// Notes a message or exchange.
  mutating func note(_ event: TraceEvent) {
    switch event {
    case .response(let line): note(line.session, line.n)
    case .notification(let line): note(line.session, line.n)
    case .http(let line): note(line.session, line.n)
    default: break
    }
  }

  /// The lines that reopen what is open, in order of time.
  var lines: [TraceEvent] {
    let opened = connections.values.sorted { ($0.t, $0.conn) < ($1.t, $1.conn) }
    var continued = sessions.values.compactMap { session in
      session.line.map { line in
        var line = line
        line.continues = true
        line.nextN = session.nextN
        return line
      }
    }
    continued.sort { ($0.t, $0.session) < ($1.t, $1.session) }
    return opened.map(TraceEvent.connection) + continued.map(TraceEvent.session)
  }
}
