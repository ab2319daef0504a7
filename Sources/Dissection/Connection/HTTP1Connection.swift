import Basics
import NIOCore
import Trace
import Wire

/// Dissects a connection that carries HTTP/1: pairs its requests and responses.
///
/// Theory: HTTP/1 pairs by order (RFC 9112 §9.3). Sides of a capture have no common order, so an answer may wait for its
/// request; but where requests may be missing (joined in the middle, or after a gap) an answer without one is an orphan at
/// once, lest all later pairs shift. Where answers may be missing, who sends a request has the answer to the one before (no
/// MCP client pipelines): that was lost.
final class HTTP1Connection {
  /// Most bytes of answers that wait for a request (the out-of-order limit of a direction).
  private static let waitLimit = 1 << 20

  private let context: ConnectionContext
  private var ends = StreamEnds()
  private var requests: HTTP1Decoder
  private var responses: HTTP1Decoder
  private var requesting: HTTPExchange?
  private var responding: HTTPExchange?
  private var awaiting: [HTTPExchange] = []
  private var requestsMayBeMissing: Bool
  private var answersMayBeMissing = false

  /// Creates the state of a connection; `fromStart` is false where it was joined in the middle.
  init(_ context: ConnectionContext, fromStart: Bool) {
    self.context = context
    requests = HTTP1Decoder(role: .request, fromStart: fromStart)
    responses = HTTP1Decoder(role: .response, fromStart: fromStart)
    requestsMayBeMissing = !fromStart
  }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    if direction == .c2s {
      requests.append(bytes, at: at)
    } else {
      responses.append(bytes, at: at)
    }
    drain()
  }

  /// Takes a hole in a direction.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    if direction == .c2s {
      requests.gap(count, at: at)
      // The requests behind the gap come next, and answers that wait may be theirs.
      requestsMayBeMissing = true
    } else {
      responses.gap(count, at: at)
      drain()
      if responding == nil { answersMayBeMissing = true }
    }
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    ends.note(direction, how, at: at)
    if direction == .c2s { requests.end(how, at: at) } else { responses.end(how, at: at) }
    drain()
    if ends.areBoth { finishExchanges(at: at) }
  }

  private func drain() {
    let before = requests.explained + responses.explained
    drainRequests()
    drainResponses()
    context.explain(requests.explained + responses.explained - before)
  }

  private func drainRequests() {
    while let event = requests.next() {
      switch event {
      case .request(let head):
        let exchange = context.exchange(head)
        requesting = exchange
        awaiting.append(exchange)
      case .body(let bytes, _): _ = requesting?.requestBody.append(bytes, keep: true)
      case .bodyGap: requesting?.requestBody.gap()
      case .end(let complete, let at):
        guard let exchange = requesting else { continue }
        requesting = nil
        if exchange.sentAt == nil { requested(exchange, complete: complete, at: at) }
      case .skipped(let bytes, let reason, let at):
        skipped(bytes, reason, at)
        requestsMayBeMissing = true
      case .response, .trailers: continue
      }
    }
  }

  private func requested(_ exchange: HTTPExchange, complete: Bool, at: Timestamp) {
    if !complete { exchange.requestBody.markIncomplete() }
    exchange.sentAt = at
    context.say(.requested(exchange))
  }

  private func drainResponses() {
    while true {
      if responding == nil, responses.buffered <= HTTP1Connection.waitLimit {
        // An answer may be captured before its request: then it waits, unless requests may be missing.
        if awaiting.isEmpty, !requestsMayBeMissing, ends.c2s == nil { return }
        // An early answer (413, 401) waits for the end of its request, so that steps stay in order.
        if let first = awaiting.first, first.sentAt == nil { return }
      } else if responding == nil {
        // It waits no longer: its request is not seen, or so long that what came of it must do.
        requestsMayBeMissing = true
        if let first = awaiting.first, first.sentAt == nil {
          requested(first, complete: false, at: first.startedAt)
        }
      }
      guard let event = responses.next() else { return }
      take(event)
    }
  }

  private func take(_ event: HTTP1Decoder.Event) {
    switch event {
    case .response(let head):
      if head.isInterim {
        awaiting.first?.interim.append(head.status)
        return
      }
      let exchange = exchange(for: head)
      exchange.respond(with: head, options: context.options)
      if let left = ends.clientLeftAt { exchange.clientLeftFirst = left < head.firstByteAt }
      let method = exchange.request?.method
      if method == "HEAD" { responses.omitBody() }
      if method == "CONNECT", (200..<300).contains(head.status) {
        responses.becomeTunnel()
        requests.becomeTunnel()
      }
      if head.status == 101 { requests.becomeTunnel() }
      responding = exchange
      context.say(.answered(exchange))
      if method == "CONNECT", (200..<300).contains(head.status) {
        finish(exchange, complete: true, at: head.endAt)
      }
    case .body(let bytes, let at):
      guard let exchange = responding else { return }
      let decoded = exchange.responseBody.append(bytes, keep: exchange.sse == nil)
      guard exchange.sse != nil else { return }
      exchange.sse?.append(decoded, at: at)
      while let event = exchange.sse?.next() { context.say(.event(exchange, event)) }
    case .bodyGap:
      responding?.responseBody.gap()
      responding?.sse?.gap()
    case .end(let complete, let at):
      if let exchange = responding { finish(exchange, complete: complete, at: at) }
    case .skipped(let bytes, let reason, let at): skipped(bytes, reason, at)
    case .request, .trailers: return
    }
  }

  /// The exchange whose answer this is.
  private func exchange(for head: HTTPResponseHead) -> HTTPExchange {
    if answersMayBeMissing {
      answersMayBeMissing = false
      let last = awaiting.lastIndex { $0.startedAt <= head.firstByteAt } ?? 0
      for exchange in awaiting.prefix(last) { giveUp(exchange, by: .capture, at: head.firstByteAt) }
      awaiting.removeFirst(min(last, awaiting.count))
    }
    guard let first = awaiting.first,
      !requestsMayBeMissing || first.startedAt <= head.firstByteAt
    else { return orphan() }
    awaiting.removeFirst()
    return first
  }

  /// Ends an exchange whose answer never comes.
  private func giveUp(_ exchange: HTTPExchange, by: ResponseLine.EndedBy, at: Timestamp) {
    if exchange.sentAt == nil { requested(exchange, complete: false, at: at) }
    exchange.doneAt = at
    context.say(.ended(exchange, by: by))
  }

  private func orphan() -> HTTPExchange {
    let exchange = context.exchange(nil)
    exchange.flags.append("response-without-request")
    return exchange
  }

  private func finish(_ exchange: HTTPExchange, complete: Bool, at: Timestamp) {
    if !complete { exchange.responseBody.markIncomplete() }
    if exchange.responseBody.isCoded {
      exchange.flags.append("content-encoding-kept")
      // Its bytes are part of the exchange; what they say is lost.
      context.flaw("content.undecoded", of: exchange, at: at)
    }
    exchange.sse?.end()
    if let bytes = exchange.sse?.incomplete, bytes > 0 {
      // Counted among the explained bytes, as part of the response.
      context.flaw("sse.incomplete_event", of: exchange, at: at)
    }
    exchange.isAnswered = complete
    exchange.doneAt = at
    responding = nil
    context.say(.ended(exchange, by: complete ? .server : ends.endedBy))
  }

  /// Both directions are over: what is still open never gets its answer.
  private func finishExchanges(at: Timestamp) {
    if let exchange = responding { finish(exchange, complete: false, at: at) }
    let by = answersMayBeMissing ? ResponseLine.EndedBy.capture : ends.endedBy
    for exchange in awaiting { giveUp(exchange, by: by, at: at) }
    awaiting = []
    requesting = nil
  }

  private func skipped(_ bytes: Int, _ reason: HTTP1Decoder.SkipReason, _ at: Timestamp) {
    context.lose(reason.rawValue, bytes: bytes, at: at)
  }
}
