public import Basics
public import Trace

/// Tells the views of several recorders of one service as one: sessions, agents, order and uses are inferred anew over all of them.
///
/// Theory: a trace holds all that the session half of the pipeline needs. Its lines become the steps of exchanges again, of all
/// recorders in one order of time, and go through `SessionStage` as those of one recording would. What only lines of a recorder
/// can say (connections, losses, audits) passes with its numbers changed. Redaction is not done again: surrogates stay.
///
/// Not in a trace, and so made up: the target of a POST (its session's path and endpoint), when the head of an event stream
/// came, and what nobody asked for (`jsonrpc.unmatched_response`) or no line says (data of an event that is no message).
///
/// Memory: the views' indexes, and what `SessionStage` keeps of open sessions.
public final class Retelling {
  /// Reads a line of a view.
  public typealias Read = (_ view: Int, _ place: LinePlace) throws(TraceFormatError) -> TraceEvent

  /// The instant that every `t` of the retold trace counts from.
  public let t0: Timestamp

  let views: [RecorderView]
  /// From a recorder's times to those of the retold trace.
  let shifts: [Int64]
  /// What is added to the numbers of a recorder's exchanges and connections.
  let bases: [(x: Int, conn: Int)]
  private let lines: TraceLines
  /// What the stage tells, on its way to `lines`: the same where nothing else is known.
  private let told: TraceLines
  private let details: RetoldDetails?
  private let stage: SessionStage
  private var steps: [RetoldStep] = []
  private var position = 0
  private var now = Int64.min
  private var toldAt = Int64.min
  private var isOver = false
  /// Header fields of each session's latest request: what answers of the client lack.
  var fields: [[String: HeaderFields]]

  /// Nanoseconds between two steps that tell the time.
  private static let timeInterval: Int64 = 10_000_000_000
  /// Steps between two that let go of blocks.
  private static let settleInterval = 1024

  /// Prepares to tell closed views, to whose times `offsets` are added, into `lines`.
  ///
  /// Payloads are as they are; `options` says what is inferred. There must be a view, and an offset for each.
  public init(
    _ views: [RecorderView], offsets: [Int64], options: DissectionOptions, lines: TraceLines
  ) {
    precondition(!views.isEmpty && views.count == offsets.count, "an offset for each view")
    self.views = views
    self.lines = lines
    t0 = JoinedClock.t0(views.map(\.header), offsets)
    shifts = JoinedClock.shifts(views.map(\.header), offsets)
    var base = (x: 0, conn: 0)
    var bases: [(x: Int, conn: Int)] = []
    for view in views {
      bases.append(base)
      base = (base.x + view.highest.x, base.conn + view.highest.conn)
    }
    self.bases = bases
    fields = views.map { _ in [:] }
    var options = options
    options.redactor = nil
    // What was kept is all there is; of nothing, nothing is to be shown.
    let isNone = views.allSatisfy { $0.header.payloads == HeaderLine.Payloads.none }
    options.payloads = isNone ? .none : .full
    let hasDetails = views.contains(where: \.hasDetails)
    details = hasDetails ? RetoldDetails() : nil
    told = hasDetails ? TraceLines(.events) : lines
    stage = SessionStage(t0: t0, options: options, lines: told)
    for (number, view) in views.enumerated() {
      for step in view.takeSteps() {
        var step = step
        step.view = Int32(number)
        step.at &+= shifts[number]
        steps.append(step)
      }
    }
    steps.sort(by: RetoldStep.isBefore)
  }

  /// Tells what happened next; false when all is told.
  ///
  /// - Throws: what `read` throws.
  public func next(_ read: Read) throws(TraceFormatError) -> Bool {
    guard position < steps.count else {
      if !isOver { finish() }
      return false
    }
    let step = steps[position]
    position += 1
    tick(step.at)
    switch step.kind {
    case .line: try tellLine(step, read)
    case .request: try tellRequest(step, read)
    case .head: try tellHead(step, read)
    case .event: try tellEvent(step, read)
    case .end: try tellEnd(step, read)
    }
    return true
  }

  /// What the retold trace's footer says, but for its counts.
  public var footer: FooterLine {
    var footer = JoinedFooter.of(views.map(\.footer))
    footer.add(stage.losses)
    return footer
  }

  /// Tells steps.
  func append(_ steps: ExchangeStep...) {
    var batch = ConnectionStage.Steps()
    batch.steps = steps
    stage.append(&batch)
    guard let details else { return }
    for event in told.takeEvents() { lines.append(details.joined(event)) }
  }

  /// Notes what a line says besides.
  func note(_ event: TraceEvent, _ step: RetoldStep) {
    guard let details else { return }
    let view = views[Int(step.view)]
    func key(_ source: (exchange: Int, batch: Int)) -> RetoldDetails.Key {
      .init(x: view.exchanges[source.exchange].x + bases[Int(step.view)].x, batch: source.batch)
    }
    switch event {
    case .request(let line) where line.dir == .c2s:
      details.note(line, key((Int(step.exchange), line.batch ?? 0))) { n in
        view.sources[.init(session: line.session, n: n)].map(key)
      }
    case .response(let line) where line.dir == .s2c:
      if let source = view.sources[.init(session: line.session, n: line.n)] {
        details.note(line, of: key(source))
      }
    default: break
    }
  }

  private func tick(_ at: Int64) {
    now = max(now, at)
    if toldAt == .min { toldAt = now }
    if position % Retelling.settleInterval == 0 { append(.settle) }
    guard now &- toldAt > Retelling.timeInterval else { return }
    toldAt = now
    append(.time(t0 + now))
  }

  private func finish() {
    isOver = true
    var open: Set<Int> = []
    for (number, view) in views.enumerated() {
      for conn in view.openConnections { open.insert(conn + bases[number].conn) }
    }
    append(.finished(at: t0 + (now == .min ? 0 : now), open: open))
  }

  // MARK: Other lines

  private func tellLine(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
    let number = Int(step.view)
    let (base, shift) = (bases[number], shifts[number])
    let event = try read(number, views[number].lines[Int(step.line)].place)
    switch event.moved(by: shift, x: base.x, conn: base.conn) {
    case .connection(let line): append(.connection(line))
    case .loss(var line):
      // The session may be another one now.
      line.session = nil
      append(.loss(line))
    case .exchange(let line): lines.append(line)
    case .unknown: lines.append(event)
    case .header, .session, .request, .response, .notification, .http, .sse, .end, .footer: break
    }
  }
}
