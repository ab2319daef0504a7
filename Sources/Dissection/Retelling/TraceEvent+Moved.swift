import Trace

extension TraceEvent {
  /// The line's times.
  private var times: (Int64, Int64?, Int64?) {
    switch self {
    case .connection(let line): (line.t, line.closed, nil)
    case .session(let line): (line.t, nil, nil)
    case .request(let line): (line.t, line.sent, nil)
    case .response(let line): (line.t, line.done, nil)
    case .notification(let line): (line.t, line.done, nil)
    case .http(let line): (line.t, line.done, nil)
    case .sse(let line): (line.t, nil, nil)
    case .exchange(let line): (line.t, line.sent, line.done)
    case .loss(let line): (line.t, nil, nil)
    case .end(let line): (line.t, nil, nil)
    case .header, .footer, .unknown: (0, nil, nil)
    }
  }

  /// Whether all times are within `span` nanoseconds of `t0`.
  func isWithin(_ span: Int64) -> Bool {
    let times = times
    let range = -span...span
    return range.contains(times.0) && range.contains(times.1 ?? 0) && range.contains(times.2 ?? 0)
  }

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
