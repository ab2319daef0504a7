public import NIOCore

/// What the first bytes of a connection look like.
public enum SniffedProtocol: Hashable, Sendable {
  /// HTTP/1.x, a request or a response.
  case http1
  /// HTTP/2 with prior knowledge (RFC 9113 §3.4).
  case http2
  /// A TLS record.
  case tls
  /// None of these.
  case unknown
  /// Too few bytes to tell.
  case undecided

  /// Looks at the first bytes that either side sent.
  public init(firstBytes bytes: ByteBuffer) {
    let view = bytes.readableBytesView
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    if view.starts(with: preface.prefix(view.count)) {
      self = view.count >= 16 ? .http2 : .undecided
    } else if HTTP1Head.isPlausibleStart(bytes.readableBytesUInt8Span, request: true)
      || HTTP1Head.isPlausibleStart(bytes.readableBytesUInt8Span, request: false)
    {
      self = view.count >= 8 ? .http1 : .undecided
    } else if let first = view.first, first == 0x16 {
      self = view.count < 2 ? .undecided : view[view.startIndex + 1] == 3 ? .tls : .unknown
    } else {
      self = view.isEmpty ? .undecided : .unknown
    }
  }
}
