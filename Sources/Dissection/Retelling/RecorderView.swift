import Basics
public import Trace

/// What one recorder saw: an index of its trace, from which the steps of its exchanges can be told again in order of time.
///
/// Theory: lines stand in a trace in the order in which they were complete, so that a request may stand far behind what came
/// later, and an exchange is known whole only at its last line. So a trace is read twice. The first time this index is made:
/// for each exchange when it began, was sent, answered and over, and where its lines stand; payloads and header fields stay
/// in the file. The second time lines are read where they stand, in order of time.
///
/// Memory: some 350 bytes an exchange and 60 bytes a line.
public final class RecorderView {
  /// A request without its response line yet.
  struct Asked {
    var id: MessageToken
    var method: String
    var exchange: Int
    var isClients: Bool
  }

  struct AskedKey: Hashable {
    var session: String?
    var n: Int
  }

  /// The first line of the trace.
  public let header: HeaderLine
  /// The balance, of all segments.
  public private(set) var footer = FooterLine(
    counts: [:], bytesIn: 0, bytesExplained: 0, loss: [:])
  /// Evidence of what the recorder's clock says.
  public internal(set) var clock = ClockEvidence()

  var lines: [RetoldLine] = []
  var exchanges: [RetoldExchange] = []
  private(set) var steps: [RetoldStep] = []
  private(set) var sessions: [String: SessionLine] = [:]
  /// Values of explicit keys.
  private(set) var keys: Set<String> = []
  /// Path of each authority's latest session.
  private(set) var paths: [String: String] = [:]
  /// Address of the client of each connection.
  var clients: [Int: String] = [:]
  /// Connections that the recording's end cut.
  var openConnections: Set<Int> = []
  private(set) var latest = Int64.min
  var highest = (x: 0, conn: 0)
  /// Number of the line that is being noted.
  var order = 1

  var numbers: [Int: Int] = [:]
  var asked: [AskedKey: Asked] = [:]
  /// The latest that lines so far tell of: nothing behind them was told before.
  var told = Int64.min
  /// From the first segment's `t0` to this one's.
  var shift: Int64 = 0
  private var unbalanced: [String: FooterLine.Loss] = [:]

  /// Losses that say what inference forgot: it is done again.
  private static let inferred: Set<String> = ["limit.session_values", "limit.values"]

  /// Begins the index of a trace with its first line.
  public init(_ header: HeaderLine) { self.header = header }

  /// Notes the next line.
  ///
  /// - Throws: `RetellingError` for what cannot be retold.
  public func note(_ event: TraceEvent, at place: LinePlace) throws(RetellingError) {
    order += 1
    guard lines.count < Int(Int32.max), exchanges.count < Int(Int32.max) else { throw .tooLarge }
    switch event {
    case .header(let line): shift = line.t0 - header.t0
    case .connection(let line): try note(line, place)
    case .session(let line):
      sessions[line.session] = sessions[line.session]?.updated(by: line) ?? line
      if let value = line.key?.value { keys.insert(value) }
      if let authority = line.authority, let path = line.path { paths[authority] = path }
    case .request(let line): try note(line, place)
    case .response(let line): try note(line, place)
    case .notification(let line): try note(line, place)
    case .http(let line): try note(line, place)
    case .sse(let line):
      let index = try exchange(line.x, nil)
      exchanges[index].isStream = true
      self.event(index, at: line.t, place)
    case .exchange(let line):
      exchanges[try exchange(line.x, line.conn)].target = line.target
      aside(at: line.done ?? line.t, place)
    case .loss(let line):
      unbalanced[line.kind, default: .init(count: 0, bytes: 0)].count += 1
      unbalanced[line.kind]?.bytes &+= line.bytes ?? 0
      if !RecorderView.inferred.contains(line.kind) { aside(at: line.t, place) }
    case .end: break
    case .footer(let line):
      balance(line)
      unbalanced = [:]
    case .unknown: aside(at: told == .min ? 0 : told, place)
    }
  }

  /// Says that the trace is over.
  public func close() {
    if !unbalanced.isEmpty || footer.counts.isEmpty {
      // The recorder was stopped hard: what its lines say is lost came in.
      let bytes = unbalanced.values.reduce(0) { $0 &+ $1.bytes }
      balance(FooterLine(counts: [:], bytesIn: bytes, bytesExplained: 0, loss: unbalanced))
    }
    for question in asked.values where question.isClients { cut(question.exchange) }
    asked = [:]
    numbers = [:]
    for i in steps.indices where steps[i].kind == .event {
      // Some answer before they have read all.
      let sentAt = exchanges[Int(steps[i].exchange)].sentAt ?? .min
      steps[i].at = max(steps[i].at, sentAt)
    }
    for i in exchanges.indices { lay(i) }
  }

  private func balance(_ line: FooterLine) {
    footer.counts.merge(line.counts, uniquingKeysWith: &+)
    footer.bytesIn &+= line.bytesIn
    footer.bytesExplained &+= line.bytesExplained
    footer.add(line.loss.filter { !RecorderView.inferred.contains($0.key) })
    footer.packets = JoinedFooter.added(footer.packets, line.packets)
    footer.tcpBytes = JoinedFooter.added(footer.tcpBytes, line.tcpBytes)
    footer.extra = JoinedFooter.added(footer.extra, line.extra)
  }

  // MARK: Exchanges

  /// A time by the recorder's clock, since 1970.
  func moment(_ t: Int64) -> Int64 { (header.t0 + (t &+ shift)).nanoseconds }

  func checked(_ number: Int) throws(RetellingError) -> Int {
    guard number >= 0, number < Int(Int32.max) else { throw .number(line: order) }
    return number
  }

  func exchange(_ x: Int?, _ conn: Int?) throws(RetellingError) -> Int {
    guard let x else { throw .noExchange(line: order) }
    let number = try checked(x)
    let conn = try conn.map { (conn) throws(RetellingError) in try checked(conn) }
    if let index = numbers[number] {
      exchanges[index].lastOrder = order
      return index
    }
    highest = (max(highest.x, number), max(highest.conn, conn ?? 0))
    exchanges.append(
      RetoldExchange(x: number, conn: conn ?? 0, order: order, lastOrder: order))
    numbers[number] = exchanges.count - 1
    return exchanges.count - 1
  }

  /// Notes that a line of an exchange says what its client sent.
  func said(_ index: Int, t: Int64, sent: Int64, session: String?, batch: Int?) {
    exchanges[index].startedAt = min(exchanges[index].startedAt, t &+ shift)
    exchanges[index].sentAt = max(exchanges[index].sentAt ?? .min, sent &+ shift)
    exchanges[index].session = session ?? exchanges[index].session
    if batch != nil { exchanges[index].isBatch = true }
    tell(sent &+ shift)
  }

  func reach(_ index: Int, _ at: Int64) {
    exchanges[index].endedAt = max(exchanges[index].endedAt, at &+ shift)
    exchanges[index].toldAt = max(exchanges[index].toldAt, at &+ shift)
    tell(at &+ shift)
  }

  /// Notes an end that was told as soon as it came about, be it later than its time.
  func end(_ index: Int, _ at: Int64) {
    let before = told
    reach(index, at)
    exchanges[index].toldAt = max(exchanges[index].toldAt, before)
  }

  private func tell(_ at: Int64) {
    told = max(told, at)
    latest = max(latest, at)
  }

  func add(
    _ place: LinePlace, _ id: MessageToken?, to index: Int,
    _ list: WritableKeyPath<RetoldExchange, [Int]>
  ) {
    exchanges[index][keyPath: list].append(lines.count)
    lines.append(RetoldLine(place: place, id: id))
  }

  func event(
    _ index: Int, at: Int64, _ place: LinePlace, _ id: MessageToken? = nil, batch: Int? = nil,
    isLate: Bool = false
  ) {
    reach(index, at)
    exchanges[index].headAt = exchanges[index].headAt ?? at &+ shift
    lines.append(RetoldLine(place: place, id: id))
    // The rest of a batch stands right behind its first message.
    if let batch, batch > 0, let last = steps.indices.last, steps[last].exchange == Int32(index),
      steps[last].at == at &+ shift, Int(steps[last].line + steps[last].count) == lines.count - 1
    {
      steps[last].count += 1
      return
    }
    var step = RetoldStep(at: at &+ shift, order: order, kind: .event)
    step.isLate = isLate
    step.exchange = Int32(index)
    step.line = Int32(lines.count - 1)
    steps.append(step)
  }

  func aside(at: Int64, _ place: LinePlace) {
    latest = max(latest, at &+ shift)
    lines.append(RetoldLine(place: place))
    var step = RetoldStep(at: at &+ shift, order: order, kind: .line)
    step.line = Int32(lines.count - 1)
    steps.append(step)
  }

  /// Lays the beginning, the answer and the end of an exchange into the order of time.
  private func lay(_ index: Int) {
    let exchange = exchanges[index]
    // What only an audit or a server's message tells of has no request to be told.
    guard let sentAt = exchange.sentAt else { return }
    func put(_ kind: RetoldStep.Kind, _ at: Int64, _ order: Int) {
      var step = RetoldStep(at: at, order: order, kind: kind)
      step.exchange = Int32(index)
      steps.append(step)
    }
    put(.request, sentAt, exchange.order)
    let headAt = max(exchange.headAt ?? exchange.endedAt, sentAt)
    if isAnswered(exchange) { put(.head, headAt, exchange.order) }
    if exchange.role == .stream, exchange.isStream, exchange.end == nil {
      // The recorder was stopped hard.
      cut(index)
    }
    put(.end, max(exchanges[index].toldAt, headAt), exchange.lastOrder)
    if exchange.isCancelled { steps[steps.count - 1].isLate = true }
  }

  /// Notes that the recording's end cut an exchange.
  private func cut(_ index: Int) {
    exchanges[index].end = .init(by: .capture, isAnswered: false)
    exchanges[index].endedAt = latest
    exchanges[index].toldAt = latest
  }

  /// Whether there was a response.
  func isAnswered(_ exchange: RetoldExchange) -> Bool {
    exchange.status != nil || exchange.head != nil || exchange.isStream || exchange.isLeftOpen
      || !exchange.body.isEmpty
  }
}
