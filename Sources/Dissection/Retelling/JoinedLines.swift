import Basics
public import Trace

/// Lines of several traces in one file: times from one `t0`; exchanges, connections, sessions and agents renamed apart.
///
/// One trace after the other, as they come: a reader of traces sorts. Sessions stay as their recorder told them, also those of one
/// explicit key, for to join them is to number them anew. Memory: the names of one trace's sessions.
public struct JoinedLines {
  /// The balance so far, without counts of lines.
  public private(set) var footer = FooterLine(
    counts: [:], bytesIn: 0, bytesExplained: 0, loss: [:])

  private let headers: [HeaderLine]
  private let shifts: [Int64]
  private var current = 0
  private var segmentShift: Int64 = 0
  private var base = (x: 0, conn: 0)
  private var highest = (x: 0, conn: 0)
  /// The same for the `n` of messages that belong to no session.
  private var baseN = 0
  private var highestN = 0
  private var names: [String: String] = [:]
  private var agents: [String: String] = [:]
  private var made = (sessions: 0, agents: 0)
  private var footers: [FooterLine] = []
  private var losses: [String: FooterLine.Loss] = [:]
  private var isBalanced = false

  /// Prepares to join traces that begin with these headers.
  public init(_ headers: [HeaderLine]) {
    self.headers = headers
    shifts = JoinedClock.shifts(headers, headers.map { _ in 0 })
  }

  /// Returns a line of the current trace as it is to be written; `nil` for its header and footer.
  public mutating func joined(_ event: TraceEvent) -> TraceEvent? {
    switch event {
    case .header(let line):
      segmentShift = line.t0 - headers[current].t0
      return nil
    case .footer(let line):
      footers.append(line)
      isBalanced = true
      losses = [:]
      return nil
    case .loss(let line):
      losses[line.kind, default: .init(count: 0, bytes: 0)].count += 1
      losses[line.kind]?.bytes &+= line.bytes ?? 0
      isBalanced = false
    default: break
    }
    note(event)
    return named(
      event.moved(by: shifts[current] &+ segmentShift, x: base.x, conn: base.conn))
  }

  /// Goes on to the next trace.
  public mutating func next() {
    balance()
    current += 1
    segmentShift = 0
    base = highest
    baseN = highestN
    (names, agents) = ([:], [:])
  }

  /// Says that the last trace is over.
  public mutating func finish() {
    balance()
    footer = JoinedFooter.of(footers)
  }

  /// What a recorder that was stopped hard could not sum up.
  private mutating func balance() {
    if !isBalanced, !losses.isEmpty {
      let bytes = losses.values.reduce(0) { $0 &+ $1.bytes }
      footers.append(FooterLine(counts: [:], bytesIn: bytes, bytesExplained: 0, loss: losses))
    }
    (losses, isBalanced) = ([:], false)
  }

  private mutating func note(_ event: TraceEvent) {
    func see(_ x: Int?, _ conn: Int?) {
      highest = (max(highest.x, base.x &+ (x ?? 0)), max(highest.conn, base.conn &+ (conn ?? 0)))
    }
    switch event {
    case .connection(let line): see(nil, line.conn)
    case .request(let line): see(line.x, line.conn)
    case .response(let line): see(line.x, line.conn)
    case .notification(let line): see(line.x, line.conn)
    case .http(let line): see(line.x, line.conn)
    case .sse(let line): see(line.x, nil)
    case .exchange(let line): see(line.x, line.conn)
    case .loss(let line): see(line.x, line.conn)
    case .header, .session, .end, .footer, .unknown: break
    }
  }

  private mutating func named(_ event: TraceEvent) -> TraceEvent {
    switch event {
    case .session(var line):
      line.session = name(line.session)
      line.agent = line.agent.map { agent($0) }
      return .session(line)
    case .request(var line):
      line.n = number(line.n, line.session)
      // A refused `initialize` belongs to no session.
      if line.session == nil || line.method == "initialize" {
        line.retryOf = line.retryOf.map { $0 &+ baseN }
      }
      line.session = line.session.map { name($0) }
      return .request(line)
    case .response(var line):
      line.n = number(line.n, line.session)
      if line.session == nil { line.re &+= baseN }
      line.session = line.session.map { name($0) }
      return .response(line)
    case .notification(var line):
      line.n = number(line.n, line.session)
      if line.session == nil { line.re = line.re.map { $0 &+ baseN } }
      line.session = line.session.map { name($0) }
      return .notification(line)
    case .http(var line):
      line.session = line.session.map { name($0) }
      return .http(line)
    case .loss(var line):
      line.session = line.session.map { name($0) }
      return .loss(line)
    case .end(var line):
      line.session = name(line.session)
      line.agent = line.agent.map { agent($0) }
      return .end(line)
    case .header, .connection, .sse, .exchange, .footer, .unknown: return event
    }
  }

  private mutating func number(_ n: Int, _ session: String?) -> Int {
    guard session == nil else { return n }
    highestN = max(highestN, n &+ baseN)
    return n &+ baseN
  }

  private mutating func name(_ old: String) -> String {
    if let known = names[old] { return known }
    made.sessions += 1
    names[old] = "s\(made.sessions)"
    return "s\(made.sessions)"
  }

  private mutating func agent(_ old: String) -> String {
    if let known = agents[old] { return known }
    made.agents += 1
    agents[old] = "a\(made.agents)"
    return "a\(made.agents)"
  }
}
