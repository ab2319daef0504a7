import Basics
import NIOCore
import Trace
import Wire

/// What an exchange goes through is the same in every version of HTTP.
extension ConnectionContext {
  /// The request is over.
  func requested(_ exchange: HTTPExchange, complete: Bool, at: Timestamp) {
    if !complete { exchange.requestBody.markIncomplete() }
    note(flawsOf: exchange.requestBody, of: exchange, at: at)
    exchange.sentAt = at
    say(.requested(exchange))
  }

  /// The final response's head is there.
  func answered(_ exchange: HTTPExchange, _ head: HTTPResponseHead, clientLeftAt: Timestamp?) {
    exchange.respond(with: head, options: options)
    if let clientLeftAt { exchange.clientLeftFirst = clientLeftAt < head.firstByteAt }
    say(.answered(exchange))
  }

  /// Bytes of the response's body.
  func streamed(_ exchange: HTTPExchange, _ bytes: ByteBuffer, at: Timestamp) {
    let decoded = exchange.responseBody.append(bytes, keep: exchange.sse == nil)
    guard exchange.sse != nil else { return }
    exchange.sse?.append(decoded, at: at)
    while let event = exchange.sse?.next() {
      if event.isTruncated { flaw("limit.sse_event", of: exchange, at: event.lastByteAt) }
      say(.event(exchange, event))
    }
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
    note(flawsOf: exchange.responseBody, of: exchange, at: at)
    exchange.sse?.end()
    if let bytes = exchange.sse?.incomplete, bytes > 0 {
      // Counted among the explained bytes, as part of the response.
      flaw("sse.incomplete_event", of: exchange, at: at)
    }
    exchange.isAnswered = complete
    exchange.doneAt = at
    // Whoever closed, what is missing is missing for want of the recording.
    say(.ended(exchange, by: exchange.responseBody.hasGap ? .capture : by))
  }

  /// Says what is wrong with the inside of a body. Its bytes are part of the exchange; what they say is lost.
  private func note(flawsOf body: BodyCollector, of exchange: HTTPExchange, at: Timestamp) {
    if body.isCoded { exchange.flags.append("content-encoding-kept") }
    if body.isCutInside { exchange.flags.append("content-encoding-cut") }
    for flaw in body.flaws { self.flaw(flaw, of: exchange, at: at) }
  }
}
