import Basics
import MCP
import NIOCore
import Trace
import Wire

/// How exchanges are told: their lines are read again, and make steps.
extension Retelling {
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

  func tellRequest(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
    let (view, exchange) = exchange(step)
    let session = exchange.session.flatMap { view.sessions[$0] }
    var request = RetoldRequest(exchange, session)
    for index in exchange.request {
      let line = view.lines[index]
      let told = try read(Int(step.view), line.place)
      note(told, step)
      request.add(told, id: line.id)
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
      request: request.head(at: startedAt, endpoint: view.endpoint(for: exchange, request)),
      principal: session?.principal)
    append(
      .began(begun),
      .requested(
        x: begun.x, request.content, sentAt: time(step, exchange.sentAt ?? exchange.startedAt)))
  }

  func tellHead(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
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

  func tellEvent(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
    let (view, exchange) = exchange(step)
    let at = t0 + step.at
    var event = SSEEvent(firstByteAt: at, lastByteAt: at)
    var messages: [ByteBuffer] = []
    var isBatch = false
    for index in Int(step.line)..<Int(step.line + step.count) {
      let line = view.lines[index]
      let told = try read(Int(step.view), line.place)
      note(told, step)
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

  func tellEnd(_ step: RetoldStep, _ read: Read) throws(TraceFormatError) {
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
      note(told, step)
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
}
