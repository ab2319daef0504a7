import Basics
import Trace

/// What carries messages: HTTP exchanges (`x`) and connections (`conn`), each named where it belongs.
///
/// Theory: every HTTP request has one `x`. A request that carries JSON-RPC is named by that message's line (all
/// lines of a batch share it), one that carries none by an `http` line, a stream by two: when it opens and when
/// it ends. What the server sends names the exchange that carried it, so that must be known from the client's side.
struct ExchangeLedger {
  private struct Use {
    var posted: Int?
    var batched = false
    var opened: Int?
    var closed: Int?
    var plain: Int?
    var carried: Int?
  }

  private var uses: [Int: Use] = [:]
  private var connections: Set<Int> = []
  private var connectionMentions: [Int: Int] = [:]
  private var doubles: [(line: Int, reason: String)] = []

  mutating func add(_ event: TraceEvent, line: Int) {
    switch event {
    case .connection(let value): connections.insert(value.conn)
    case .request(let value):
      mention(value.conn, line)
      if let x = value.x { message(x, value.dir == .c2s, batch: value.batch != nil, line) }
    case .response(let value):
      mention(value.conn, line)
      if let x = value.x { message(x, value.dir == .c2s, batch: value.batch != nil, line) }
    case .notification(let value):
      mention(value.conn, line)
      if let x = value.x { message(x, value.dir == .c2s, batch: value.batch != nil, line) }
    case .http(let value):
      mention(value.conn, line)
      http(value, line)
    case .sse(let value): update(value.x) { $0.carried = $0.carried ?? line }
    case .exchange(let value): mention(value.conn, line)
    case .header, .session, .loss, .end, .footer, .unknown: break
    }
  }

  private mutating func update(_ x: Int, _ change: (inout Use) -> Void) {
    change(&uses[x, default: Use()])
  }

  private mutating func mention(_ conn: Int?, _ line: Int) {
    guard let conn, connectionMentions[conn] == nil else { return }
    connectionMentions[conn] = line
  }

  private mutating func message(_ x: Int, _ fromClient: Bool, batch: Bool, _ line: Int) {
    var use = uses[x] ?? Use()
    if !fromClient {
      use.carried = use.carried ?? line
    } else if let before = use.posted, !(use.batched && batch) {
      doubles.append((line, "x \(x) carries another message in line \(before), without a batch"))
    } else {
      use.posted = use.posted ?? line
      use.batched = batch
    }
    uses[x] = use
  }

  private mutating func http(_ value: HTTPLine, _ line: Int) {
    var use = uses[value.x] ?? Use()
    func claim(_ place: WritableKeyPath<Use, Int?>) {
      if let before = use[keyPath: place] {
        doubles.append(
          (line, "x \(value.x) has a line of role '\(value.role.rawValue)' in line \(before)"))
      } else {
        use[keyPath: place] = line
      }
    }
    switch value.role {
    case .streamOpen: claim(\.opened)
    case .streamClose: claim(\.closed)
    case .delete, .auth, .other: claim(\.plain)
    }
    uses[value.x] = use
  }

  /// Checks the exchanges. `isWhole`: nothing may be missing.
  func check(isWhole: Bool, _ findings: inout Findings) {
    for double in doubles { findings.error(double.line, double.reason) }
    for (x, use) in uses.sorted(by: { $0.key < $1.key }) {
      let kinds = [use.posted, use.opened ?? use.closed, use.plain].compactMap(\.self)
      if kinds.count > 1 {
        findings.error(kinds.max(), "x \(x) is another exchange in line \(kinds.min() ?? 0)")
      }
      guard isWhole else { continue }
      if let line = use.closed, use.opened == nil {
        findings.error(line, "x \(x) closes a stream that no line opened")
      }
      if let line = use.carried, kinds.isEmpty {
        findings.error(line, "x \(x) is no exchange of the trace")
      }
    }
    guard isWhole else { return }
    for (conn, line) in connectionMentions.sorted(by: { $0.value < $1.value })
    where !connections.contains(conn) {
      findings.warning(line, "conn \(conn) has no connection line")
    }
  }
}
