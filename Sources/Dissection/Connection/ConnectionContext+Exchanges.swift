import Basics
import NIOCore
import Trace
import Wire

/// What an exchange goes through is the same in every version of HTTP.
extension ConnectionContext {
  /// The request is over.
  func requested(_ exchange: HTTPExchange, complete: Bool, at: Timestamp) {
    if !complete { exchange.requestBody.markIncomplete() }
    if exchange.requestBody.mayBeFlawed {
      note(flawsOf: exchange.requestBody, of: exchange, at: at)
    }
    exchange.sentAt = at
    var (role, payload) = (RequestContent.Role.other, JSONRPCPayload?.none)
    if let request = exchange.request {
      (role, payload) = RequestContent.read(request, exchange.requestBody.whole)
    }
    exchange.hasMessages = role == .messages
    say(.asked(x: exchange.x, role, payload, sentAt: at), of: exchange)
  }

  /// The final response's head is there.
  func answered(_ exchange: HTTPExchange, _ head: HTTPResponseHead, clientLeftAt: Timestamp?) {
    exchange.respond(with: head, bodies: shared.bodies)
    let answered = AnsweredExchange(
      head: head, stream: exchange.stream, isStream: exchange.sse != nil,
      clientLeftFirst: clientLeftAt.map { $0 < head.firstByteAt } ?? false)
    say(.answered(x: exchange.x, answered), of: exchange)
  }

  /// Bytes of the response's body.
  func streamed(_ exchange: HTTPExchange, _ bytes: ByteBuffer, at: Timestamp) {
    let decoded = exchange.responseBody.append(bytes, keep: exchange.sse == nil)
    guard exchange.sse != nil else { return }
    exchange.sse?.append(decoded, at: at)
    while let event = exchange.sse?.next() { heard(event, of: exchange) }
  }

  private func heard(_ event: consuming SSEEvent, of exchange: HTTPExchange) {
    if event.isTruncated { flaw("limit.sse_event", of: exchange, at: event.lastByteAt) }
    say(.event(x: exchange.x, HeardEvent(event)), of: exchange)
  }

  /// What answers a request switches to another protocol.
  func switched(_ exchange: HTTPExchange, _ head: HTTPResponseHead) {
    guard options.exchanges else { return }
    say(.switched(x: exchange.x, head, exchange.audit), of: exchange)
  }

  /// Bytes of the response's body are missing.
  func missed(_ exchange: HTTPExchange) {
    exchange.responseBody.gap()
    exchange.sse?.gap()
  }

  /// The exchange is over; `complete` when the response's framing was whole.
  func finish(
    _ exchange: HTTPExchange, complete: Bool, by: ResponseLine.EndedBy, at: Timestamp
  ) {
    if !complete { exchange.responseBody.markIncomplete() }
    if exchange.responseBody.mayBeFlawed {
      note(flawsOf: exchange.responseBody, of: exchange, at: at)
    }
    exchange.sse?.end()
    if let bytes = exchange.sse?.incomplete, bytes > 0 {
      // Counted among the explained bytes, as part of the response.
      flaw("sse.incomplete_event", of: exchange, at: at)
    }
    // Whoever closed, what is missing is missing for want of the recording.
    let by = exchange.responseBody.hasGap ? ResponseLine.EndedBy.capture : by
    end(exchange, by: by, isAnswered: complete, at: at)
  }

  /// The exchange is over, and nothing of it can be said to be missing.
  func giveUp(_ exchange: HTTPExchange, by: ResponseLine.EndedBy, at: Timestamp) {
    if exchange.sentAt == nil { requested(exchange, complete: false, at: at) }
    end(exchange, by: by, isAnswered: false, at: at)
  }

  private func end(
    _ exchange: HTTPExchange, by: ResponseLine.EndedBy, isAnswered: Bool, at: Timestamp
  ) {
    exchange.doneAt = at
    let isStream = exchange.sse != nil
    var bytes: ByteBuffer?
    var payload: JSONRPCPayload?
    if !isStream, exchange.response != nil, exchange.responseBody.bytes.readableBytes > 0 {
      let body = exchange.responseBody.bytes
      bytes = body
      if exchange.hasMessages, exchange.responseBody.isComplete { payload = JSONRPCPayload(body) }
    }
    let response = EndedExchange.Body(
      bytes: bytes, payload: payload, count: exchange.responseBody.count,
      isTruncated: exchange.responseBody.isTruncated, hasGap: exchange.responseBody.hasGap)
    let ended = EndedExchange(
      by: by, at: at, isAnswered: isAnswered, isStream: isStream, response: response,
      audit: shared.bodies.hashes ? exchange.audit : nil)
    say(.ended(x: exchange.x, ended), of: exchange)
    shared.closeExchange()
  }

  /// Says what is wrong with the inside of a body. Its bytes are part of the exchange; what they say is lost.
  private func note(flawsOf body: BodyCollector, of exchange: HTTPExchange, at: Timestamp) {
    if body.isCoded { exchange.flags.append("content-encoding-kept") }
    if body.isCutInside { exchange.flags.append("content-encoding-cut") }
    for flaw in body.flaws { self.flaw(flaw, of: exchange, at: at) }
  }
}
