import Basics
import NIOCore
import Trace
import Wire

/// What an exchange goes through is the same in every version of HTTP.
extension ConnectionContext {
  /// The request is over.
  func requested(_ exchange: HTTPExchange, complete: Bool, at: Timestamp) {
    if !complete { exchange.requestBody.markIncomplete() }
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
    while let event = exchange.sse?.next() { say(.event(exchange, event)) }
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
    if exchange.responseBody.isCoded {
      exchange.flags.append("content-encoding-kept")
      // Its bytes are part of the exchange; what they say is lost.
      flaw("content.undecoded", of: exchange, at: at)
    }
    exchange.sse?.end()
    if let bytes = exchange.sse?.incomplete, bytes > 0 {
      // Counted among the explained bytes, as part of the response.
      flaw("sse.incomplete_event", of: exchange, at: at)
    }
    exchange.isAnswered = complete
    exchange.doneAt = at
    say(.ended(exchange, by: by))
  }
}
