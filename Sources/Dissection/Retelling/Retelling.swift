public import Basics
import MCP
import NIOCore
public import Trace
import Wire

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
  private let stage: SessionStage
  private var steps: [RetoldStep] = []
  private var position = 0
  private var now = Int64.min
  private var toldAt = Int64.min
  private var isOver = false
  /// Header fields of each session's latest request: what answers of the client lack.
  private var fields: [[String: HeaderFields]]

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
    stage = SessionStage(t0: t0, options: options, lines: lines)
    for (number, view) in views.enumerated() {
      for step in view.steps {
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

  private func append(_ steps: ExchangeStep...) { stage.append(.init(steps: steps)) }

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

  // MARK: Exchanges

  private func x(_ step: RetoldStep, _ exchange: RetoldExchange) -> Int {
    exchange.x + bases[Int(step.view)].x
  }

  private func time(_ step: RetoldStep, _ t: Int64) -> Timestamp {
    t0 + (t &+ shifts[Int(step.view)])
  }

  private func exchange(_ step: RetoldStep) -> (RecorderView, RetoldExchange) {
    let view = views[Int(step.view)]
    return (view, view.exchanges[Int(step.exchange)])
  }

  private func tellRequest(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
    let (view, exchange) = exchange(step)
    let session = exchange.session.flatMap { view.sessions[$0] }
    var request = RetoldRequest(exchange, session)
    for index in exchange.request {
      let line = view.lines[index]
      request.add(try read(Int(step.view), line.place), id: line.id)
    }
    if let name = exchange.session {
      if let own = request.fields {
        fields[Int(step.view)][name] = own
      } else {
        request.fields = fields[Int(step.view)][name]
      }
    }
    let startedAt = time(step, exchange.startedAt)
    let begun = BegunExchange(
      x: x(step, exchange), conn: exchange.conn + bases[Int(step.view)].conn,
      clientHost: view.clients[exchange.conn] ?? "", stream: exchange.stream,
      request: request.head(at: startedAt, endpoint: view.endpoint(for: exchange, request)))
    append(
      .began(begun),
      .requested(
        x: begun.x, request.content, sentAt: time(step, exchange.sentAt ?? exchange.startedAt)))
  }

  private func tellHead(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
    let (view, exchange) = exchange(step)
    var fields = HeaderFields()
    if let head = exchange.head,
      case .response(let line) = try read(Int(step.view), view.lines[head].place)
    {
      fields = line.headers ?? fields
    }
    let session = exchange.session.flatMap { view.sessions[$0] }
    let isAccepted = exchange.isLeftOpen && session?.transport == .httpSSE
    let assumed = isAccepted ? 202 : exchange.isLeftOpen ? 200 : 0
    let at = t0 + step.at
    let firstByteAt = exchange.headAt.map { time(step, $0) } ?? at
    let head = HTTPResponseHead(
      status: exchange.status ?? assumed, fields: fields, firstByteAt: firstByteAt, endAt: at)
    append(
      .answered(
        x: x(step, exchange),
        AnsweredExchange(
          head: head, stream: exchange.stream, isStream: isStream(exchange, session),
          clientLeftFirst: false)))
    guard exchange.role == .stream, session?.transport == .httpSSE, let key = session?.key?.value
    else { return }
    // HTTP+SSE: the first event names the endpoint, which is the session's key.
    var event = SSEEvent(firstByteAt: at, lastByteAt: at)
    event.name = "endpoint"
    event.data = ByteBuffer(string: key)
    append(.event(x: x(step, exchange), HeardEvent(event)))
  }

  private func isStream(_ exchange: RetoldExchange, _ session: SessionLine?) -> Bool {
    exchange.isStream || exchange.isLeftOpen && session?.transport != .httpSSE
  }

  private func tellEvent(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
    let (view, exchange) = exchange(step)
    let at = t0 + step.at
    var event = SSEEvent(firstByteAt: at, lastByteAt: at)
    var messages: [ByteBuffer] = []
    var isBatch = false
    for index in Int(step.line)..<Int(step.line + step.count) {
      let line = view.lines[index]
      let told = try read(Int(step.view), line.place)
      if case .sse(let line) = told {
        event.id = line.id
        event.retry = line.retry
        if line.kind == .comment { event.comment = "" }
      }
      guard let message = RetoldMessage(told, id: line.id) else { continue }
      isBatch = isBatch || message.batch != nil
      event.id = message.event?.id
      event.name = message.event?.name
      event.firstByteAt = time(step, message.t)
      event.lastByteAt = max(event.firstByteAt, time(step, message.done))
      messages.append(message.text)
    }
    if !messages.isEmpty { event.data = isBatch ? RetoldText.batch(messages) : messages[0] }
    append(.event(x: x(step, exchange), HeardEvent(event)))
  }

  private func tellEnd(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
    let (view, exchange) = exchange(step)
    let session = exchange.session.flatMap { view.sessions[$0] }
    let end = exchange.end ?? .init(by: .server, isAnswered: view.isAnswered(exchange))
    let at = exchange.endedAt == .min ? t0 + step.at : time(step, exchange.endedAt)
    var body = EndedExchange.Body(
      bytes: nil, payload: nil, count: 0, isTruncated: false, hasGap: exchange.isLeftOpen)
    var messages: [ByteBuffer] = []
    var isBatch = false
    for index in exchange.body {
      let line = view.lines[index]
      // Without being a batch, one error answered all requests of one, and had no id of theirs.
      let id = exchange.body.count == 1 || isBatch ? line.id : nil
      let told = try read(Int(step.view), line.place)
      guard let message = RetoldMessage(told, id: line.id, alone: id) else { continue }
      isBatch = isBatch || message.batch != nil
      messages.append(message.text)
    }
    if !messages.isEmpty {
      let text = isBatch ? RetoldText.batch(messages) : messages[0]
      body.bytes = text
      body.payload = JSONRPCPayload(text)
    } else if let index = exchange.plainBody,
      case .response(let line) = try read(Int(step.view), view.lines[index].place)
    {
      // It was read before, and is no message.
      body.isTruncated = line.truncated ?? false
      body.count = line.bytes ?? 0
      body.bytes =
        line.body.map { ByteBuffer(string: $0) } ?? line.raw.flatMap { Base64.decode($0) }
    }
    let ended = EndedExchange(
      by: end.by, at: at, isAnswered: end.isAnswered, isStream: isStream(exchange, session),
      response: body, audit: nil)
    append(.ended(x: x(step, exchange), ended))
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
    case .unknown(let type, let line): lines.append(unknown: line, type: type)
    case .header, .session, .request, .response, .notification, .http, .sse, .end, .footer: break
    }
  }
}
