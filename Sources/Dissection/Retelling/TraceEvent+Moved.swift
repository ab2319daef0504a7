import Trace

extension TraceEvent {
  /// The line with its times later by `shift` and its exchange and connection renumbered. Sessions keep their names.
  func moved(by shift: Int64, x: Int, conn: Int) -> TraceEvent {
    switch self {
    case .connection(var line):
      line.conn &+= conn
      line.t &+= shift
      line.closed = line.closed.map { $0 &+ shift }
      return .connection(line)
    case .session(var line):
      line.t &+= shift
      return .session(line)
    case .request(var line):
      line.t &+= shift
      line.sent = line.sent.map { $0 &+ shift }
      line.conn = line.conn.map { $0 &+ conn }
      line.x = line.x.map { $0 &+ x }
      return .request(line)
    case .response(var line):
      line.t &+= shift
      line.done = line.done.map { $0 &+ shift }
      line.conn = line.conn.map { $0 &+ conn }
      line.x = line.x.map { $0 &+ x }
      return .response(line)
    case .notification(var line):
      line.t &+= shift
      line.done = line.done.map { $0 &+ shift }
      line.conn = line.conn.map { $0 &+ conn }
      line.x = line.x.map { $0 &+ x }
      return .notification(line)
    case .http(var line):
      line.t &+= shift
      line.done = line.done.map { $0 &+ shift }
      line.conn &+= conn
      line.x &+= x
      return .http(line)
    case .sse(var line):
      line.t &+= shift
      line.x &+= x
      return .sse(line)
    case .exchange(var line):
      line.t &+= shift
      line.sent = line.sent.map { $0 &+ shift }
      line.first = line.first.map { $0 &+ shift }
      line.done = line.done.map { $0 &+ shift }
      line.conn &+= conn
      line.x &+= x
      return .exchange(line)
    case .loss(var line):
      line.t &+= shift
      line.conn = line.conn.map { $0 &+ conn }
      line.x = line.x.map { $0 &+ x }
      return .loss(line)
    case .end(var line):
      line.t &+= shift
      return .end(line)
    case .header, .footer, .unknown: return self
    }
  }
}
