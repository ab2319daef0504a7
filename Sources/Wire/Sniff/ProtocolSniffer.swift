public import NIOCore

/// What the first bytes of a connection look like.
public enum SniffedProtocol: Hashable, Sendable {
  /// HTTP/1.x, a request or a response.
  case http1
  /// HTTP/2: the client's preface, the server's first SETTINGS (RFC 9113 §3.4), or frames.
  case http2
  /// A TLS record.
  case tls
  /// None of these.
  case unknown
  /// Too few bytes to tell.
  case undecided

  /// Looks at the first bytes that either side sent, behind empty lines (RFC 9112 §2.2); `midstream` when they may be
  /// the first seen instead, from where a segment begins.
  public init(firstBytes bytes: ByteBuffer, midstream: Bool = false) {
    let view = bytes.readableBytesView.drop { $0 == 0x0d || $0 == 0x0a }
    let start = bytes.getSlice(at: view.startIndex, length: view.count) ?? ByteBuffer()
    let span = start.readableBytesUInt8Span
    if view.starts(with: HTTP2Chain.preface.prefix(view.count)) {
      self = view.count >= 16 ? .http2 : .undecided
    } else if StartLine.isPlausible(span, request: true)
      || StartLine.isPlausible(span, request: false)
    {
      self = view.count >= 8 ? .http1 : .undecided
    } else if let first = view.first, first == 0x16 {
      self = view.count < 2 ? .undecided : view[view.startIndex + 1] == 3 ? .tls : .unknown
    } else if let first = view.first, 20...23 ~= first {
      self = view.count < 5 ? .undecided : SniffedProtocol.isRecord(view) ? .tls : .unknown
    } else {
      self =
        switch HTTP2Chain.start(bytes, midstream: midstream) {
        case .yes: .http2
        case .no: .unknown
        case .undecided: .undecided
        }
    }
  }

  /// What follows a handshake record, on a connection that was joined in the middle (RFC 8446 §5.1).
  private static func isRecord(_ view: some Collection<UInt8>) -> Bool {
    let head = Array(view.prefix(5))
    let length = Int(head[3]) << 8 | Int(head[4])
    return head[1] == 3 && head[2] <= 4 && length > 0 && length <= 16384 + 2048
  }
}
