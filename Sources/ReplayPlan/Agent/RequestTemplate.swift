import Basics
import NIOCore

/// A request as bytes, with the places that each clone fills in itself.
struct RequestTemplate: Sendable {
  /// A stretch of the body.
  enum Piece: Sendable {
    case text(ByteBuffer)
    case id
    case progressToken(isString: Bool)
    case cursor
    case value(LiveValue)
  }

  /// A header field whose value follows the body.
  struct LiveField: Sendable {
    var name: String
    /// The value as text, before what headers can't hold is encoded.
    var value: [Piece]
  }

  /// Verb of the start line.
  var verb: String
  /// Path of the start line, where the session has no address of its own for what the client says.
  var path: String
  /// Fields that are the same for all clones, without `Content-Length` and the empty line.
  var head: ByteBuffer
  /// Fields that say what the body says.
  var liveFields: [LiveField] = []
  /// True for a request inside a session: its id and the negotiated revision are added.
  var isInSession: Bool
  /// True for a method with a body.
  var hasBody: Bool
  /// The body.
  var body: [Piece]
}

/// A request and how much of it is body.
struct RequestBytes: Sendable {
  var bytes: ByteBuffer
  var bodyLength: Int
}

/// What of a clone goes into its requests.
struct ClientIdentity: Sendable {
  /// `Mcp-Session-Id` that this server gave to this clone.
  var sessionID: String?
  /// Path to which an HTTP+SSE server wants everything posted.
  var endpoint: String?
  /// The revision that this server chose.
  var revision: String?
}

/// What goes into one request.
struct RequestFill {
  var id: RawJSON?
  var cursor: RawJSON?
  /// The values of this clone's answers by their number in the script; where there is none the recorded one is sent.
  var values: [RawJSON?] = []
}

extension RequestTemplate {
  /// Returns the request as bytes.
  func bytes(_ identity: ClientIdentity, _ fill: RequestFill) -> RequestBytes {
    guard hasBody else {
      return RequestBytes(bytes: finish(identity, fill, length: nil, capacity: 0), bodyLength: 0)
    }
    let parts = body.map { $0.bytes(fill) }
    let length = parts.reduce(0) { $0 + $1.readableBytes }
    var out = finish(identity, fill, length: length, capacity: length)
    for part in parts { out.writeImmutableBuffer(part) }
    return RequestBytes(bytes: out, bodyLength: length)
  }

  /// Returns the request with another body; header fields follow the values that this one was made with.
  func bytes(
    _ identity: ClientIdentity, _ fill: RequestFill = RequestFill(), body: ByteBuffer
  ) -> RequestBytes {
    let length = body.readableBytes
    var out = finish(identity, fill, length: length, capacity: length)
    out.writeImmutableBuffer(body)
    return RequestBytes(bytes: out, bodyLength: length)
  }

  /// Returns the body alone.
  func body(_ fill: RequestFill) -> ByteBuffer {
    body.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1.bytes(fill)) }
  }

  private func finish(
    _ identity: ClientIdentity, _ fill: RequestFill, length: Int?, capacity: Int
  ) -> ByteBuffer {
    var out = ByteBuffer()
    out.reserveCapacity(head.readableBytes + capacity + 160)
    out.writeString(verb)
    out.writeStaticString(" ")
    out.writeString(hasBody ? identity.endpoint ?? path : path)
    out.writeStaticString(" HTTP/1.1\r\n")
    out.writeImmutableBuffer(head)
    for field in liveFields {
      let value = field.value.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1.bytes(fill)) }
      out.writeString("\(field.name): \(HeaderText.encoded(String(buffer: value)))\r\n")
    }
    if isInSession {
      if let session = identity.sessionID { out.writeString("mcp-session-id: \(session)\r\n") }
      // The header came with 2025-06-18, not for HTTP+SSE; dates compare as text.
      if let revision = identity.revision, identity.endpoint == nil, revision >= "2025-06-18" {
        out.writeString("mcp-protocol-version: \(revision)\r\n")
      }
    }
    if let length { out.writeString("Content-Length: \(length)\r\n") }
    out.writeStaticString("\r\n")
    return out
  }
}

extension RequestTemplate.Piece {
  fileprivate func bytes(_ fill: RequestFill) -> ByteBuffer {
    switch self {
    case .text(let text): text
    case .id: fill.id?.bytes ?? ByteBuffer()
    case .progressToken(let isString): token(fill.id, isString).bytes
    case .cursor: fill.cursor?.bytes ?? ByteBuffer(string: "null")
    case .value(let value):
      value.bytes(value.number < fill.values.count ? fill.values[value.number] : nil)
    }
  }

  /// The progress token follows the id, as SDKs do it, in the JSON type that was recorded.
  private func token(_ id: RawJSON?, _ isString: Bool) -> RawJSON {
    guard let id else { return RawJSON(.int(0)) }
    let isQuoted = id.kind == .string
    guard isString, !isQuoted else { return id }
    return RawJSON(trusted: ByteBuffer(string: "\"\(id.text)\""))
  }
}
