import Basics
import Trace
import Wire

/// What came of a message's content.
struct HTTP2Content {
  /// Bytes of it.
  var count = 0
  /// Latest time of its bytes.
  var lastAt: Timestamp?
  /// True once a loss that hit nobody knows whom may have hit it.
  var mayLack = false
  /// True from such a loss up to the next bytes.
  var isInterrupted = false

  mutating func interrupt() {
    mayLack = true
    isInterrupted = true
  }

  /// Whether nothing is missing of it: where something may be, it must have the length that its head told, or be a whole JSON text.
  func isWhole(_ head: HeaderFields?, _ body: BodyCollector) -> Bool {
    if !mayLack { return true }
    if let length = head?.first(.contentLength) { return Int(length) == count }
    return !JSONRPCPayload(body.bytes).messages.isEmpty
  }
}

/// One stream of an HTTP/2 connection: an exchange under way, and what of its answer came too early.
final class HTTP2Stream {
  let id: Int
  /// The exchange; `nil` while only the answer was seen.
  var exchange: HTTPExchange?
  /// What the server said before the request was over, in order.
  var held: [HTTP2Decoder.Event] = []
  /// What those cost, in bytes.
  var heldBytes = 0
  var request = HTTP2Content()
  var response = HTTP2Content()

  /// When the client reset it.
  var clientLeftAt: Timestamp?

  init(id: Int) { self.id = id }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  func own() {
    exchange?.own()
    for i in held.indices {
      guard case .data(let stream, var bytes, let at) = held[i] else { continue }
      bytes.own()
      held[i] = .data(stream: stream, bytes, at: at)
    }
  }

  /// True while the answer waits for its request.
  var isWaiting: Bool { exchange?.sentAt == nil }
}

extension HTTP2Decoder.Headers {
  /// Whether it begins a message: trailers have no pseudo-header fields (RFC 9113 §8.1).
  var isHead: Bool { unknown > 0 || fields.contains { $0.name.utf8.first == 0x3a } }

  /// The request's head as HTTP/1 would say it: `:authority` is its `host` (RFC 9113 §8.3.1).
  var request: HTTPRequestHead {
    let authority = fields.first(":authority")
    let method = fields.first(":method") ?? ""
    var regular = self.regular
    if let authority, regular.first("host") != authority {
      regular.insert(HeaderField("host", authority), at: 0)
    }
    let target = fields.first(":path") ?? (method == "CONNECT" ? authority : nil)
    return HTTPRequestHead(
      method: method, target: target ?? "", fields: HeaderFields(regular),
      firstByteAt: firstByteAt, endAt: endAt)
  }

  /// The response's head; its status is 0 when that is not known.
  var response: HTTPResponseHead {
    HTTPResponseHead(
      status: fields.first(":status").flatMap { Int($0) } ?? 0, fields: HeaderFields(regular),
      firstByteAt: firstByteAt, endAt: endAt)
  }

  private var regular: [HeaderField] { fields.filter { $0.name.utf8.first != 0x3a } }
}

/// The name of an error code (RFC 9113 §7) as a flag has it.
func http2ErrorName(_ code: UInt32) -> String {
  let names = [
    "no-error", "protocol-error", "internal-error", "flow-control-error", "settings-timeout",
    "stream-closed", "frame-size-error", "refused-stream", "cancel", "compression-error",
    "connect-error", "enhance-your-calm", "inadequate-security", "http-1-1-required",
  ]
  return code < names.count ? names[Int(code)] : "\(code)"
}
