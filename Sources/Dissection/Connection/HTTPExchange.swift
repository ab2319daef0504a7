import Basics
import NIOCore
import Trace
import Wire

/// One HTTP request and what answers it. Owned by its connection until it ended.
final class HTTPExchange {
  /// Number in the trace.
  let x: Int
  /// The connection.
  let conn: FlowID
  /// Address of the client, without its port.
  let clientHost: String
  /// HTTP/2 stream.
  var stream: Int?
  /// The request's head; `nil` for an answer whose request was not seen.
  let request: HTTPRequestHead?
  /// The request's body.
  var requestBody: BodyCollector
  /// Last byte of the request, once it is over.
  var sentAt: Timestamp?
  /// Statuses of interim responses.
  var interim: [Int] = []
  /// The final response's head.
  var response: HTTPResponseHead?
  /// The response's body.
  var responseBody: BodyCollector
  /// Reads an event stream's body.
  var sse: SSEDecoder?
  /// Last byte of the response, or when it was given up.
  var doneAt: Timestamp?
  /// What was odd about it.
  var flags: [String] = []
  /// True when its request carries messages.
  var hasMessages = false
  /// True once the MCP layer was told of it.
  var isTold = false

  init(
    x: Int, conn: FlowID, clientHost: String, request: HTTPRequestHead?, bodies: BodyRule
  ) {
    self.x = x
    self.conn = conn
    self.clientHost = clientHost
    self.request = request
    requestBody =
      if let fields = request?.fields {
        BodyCollector(fields: fields, bodies)
      } else {
        BodyCollector(bodies)
      }
    responseBody = BodyCollector(bodies)
  }

  /// Takes the final response's head.
  func respond(with head: HTTPResponseHead, bodies: BodyRule) {
    response = head
    responseBody = BodyCollector(fields: head.fields, bodies)
    if head.fields.begins(.contentType, with: "text/event-stream") { sse = SSEDecoder() }
  }

  /// Copies what it keeps, so that it does not hold the much larger buffers that brought it.
  func own() {
    requestBody.own()
    responseBody.own()
    sse?.own()
  }

  /// Takes a body of no known type that begins with a field of an event stream for one.
  func guessType(_ start: ByteBuffer) {
    guard sse == nil, responseBody.count == 0, response?.fields.has(.contentType) != true,
      start.beginsLikeEvent
    else { return }
    sse = SSEDecoder()
  }

  /// First byte of the exchange.
  var startedAt: Timestamp {
    request?.firstByteAt ?? response?.firstByteAt ?? Timestamp(nanoseconds: 0)
  }

  /// What is told of it at first.
  var begun: BegunExchange {
    BegunExchange(
      x: x, conn: conn.number, clientHost: clientHost, stream: stream, request: request)
  }

  /// What an audit asks of it.
  var audit: ExchangeAudit {
    ExchangeAudit(
      sentAt: sentAt, stream: stream,
      request: .init(bytes: requestBody.count, sha256: requestBody.sha256),
      response: .init(bytes: responseBody.count, sha256: responseBody.sha256), interim: interim,
      flags: flags)
  }
}

extension ByteBuffer {
  /// Whether it begins with a field of an event stream.
  var beginsLikeEvent: Bool {
    ["event:", "data:", "id:", "retry:", ":"].contains { readableBytesView.starts(with: $0.utf8) }
  }
}
