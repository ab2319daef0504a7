import Basics
import NIOCore

/// A request as bytes, with the places that each clone fills in itself.
final class RequestTemplate: Sendable {
  /// A stretch of the body.
  enum Piece: Sendable {
    case text(ByteBuffer)
    case id
    case progressToken(isString: Bool)
    case cursor
    case value(LiveValue)
    case traceParent(TraceParent)
  }

  /// A header field whose value follows the body.
  struct LiveField: Sendable {
    var name: String
    /// The value as text, before what headers can't hold is encoded.
    var value: [Piece]
    /// The column of the feed that says it as it is; a row without a value leaves the field out, or at what it was.
    var column: Int?
    var isOptional = false
  }

  /// Verb of the start line.
  private let verb: String
  /// Fields that are the same for all clones, without `Content-Length` and the empty line.
  private let head: ByteBuffer
  /// Start line and these fields, where the session has no address of its own for what the client says.
  private let opening: ByteBuffer
  /// Fields that say what the body says.
  private let liveFields: [LiveField]
  /// True for a request inside a session: its id and the negotiated revision are added.
  let isInSession: Bool
  /// True for a method with a body.
  private let hasBody: Bool
  /// The body.
  private let body: [Piece]
  /// Bytes of the body without what clones fill in.
  private let textLength: Int

  /// Prepares a request; `path` is that of the start line, `head` has the fields.
  init(
    verb: String, path: String, head: ByteBuffer, liveFields: [LiveField] = [], isInSession: Bool,
    hasBody: Bool, body: [Piece]
  ) {
    self.verb = verb
    self.head = head
    opening = RequestTemplate.opening(verb, path, head)
    self.liveFields = liveFields
    self.isInSession = isInSession
    self.hasBody = hasBody
    self.body = body
    textLength = body.reduce(0) {
      if case .text(let text) = $1 { $0 + text.readableBytes } else { $0 }
    }
  }

  private static func opening(_ verb: String, _ path: String, _ head: ByteBuffer) -> ByteBuffer {
    var out = ByteBuffer(string: "\(verb) \(path) HTTP/1.1\r\n")
    out.writeImmutableBuffer(head)
    return out
  }
}

/// A request and how much of it is body.
struct RequestBytes: Sendable {
  var bytes: ByteBuffer
  var bodyLength: Int
}

/// What of a clone goes into its requests.
struct ClientIdentity: Sendable {
  /// `Mcp-Session-Id` that this server gave to this clone.
  var sessionID: String? { didSet { prepare() } }
  /// Path to which an HTTP+SSE server wants everything posted.
  var endpoint: String? { didSet { prepare() } }
  /// The revision that this server chose.
  var revision: String? { didSet { prepare() } }
  /// What requests are authorised with.
  var credential: Credential?
  /// The clone's row of the feed.
  var row: [RawJSON?] = []
  var traces = TraceContext()
  /// The header lines of session and revision.
  fileprivate var lines: ByteBuffer?

  private mutating func prepare() {
    var out = ByteBuffer()
    if let sessionID { out.writeString("mcp-session-id: \(sessionID)\r\n") }
    // The header came with 2025-06-18, not for HTTP+SSE; dates compare as text.
    if let revision, endpoint == nil, revision >= "2025-06-18" {
      out.writeString("mcp-protocol-version: \(revision)\r\n")
    }
    lines = out.readableBytes > 0 ? out : nil
  }
}

/// What goes into one request.
struct RequestFill {
  /// What the clone has for a place.
  func value(_ place: LiveValue) -> RawJSON? {
    let given = place.isOfFeed ? row : values
    return place.number < given.count ? given[place.number] : nil
  }

  var id: RawJSON?
  var cursor: RawJSON?
  /// The values of this clone's answers by their number in the script; where there is none the recorded one is sent.
  var values: [RawJSON?] = []
  /// The clone's row of the feed.
  var row: [RawJSON?] = []
  var traces = TraceContext()
}

extension ClientIdentity {
  /// Returns what goes into a request with what is the clone's own.
  func completed(_ fill: RequestFill) -> RequestFill {
    var fill = fill
    fill.row = row
    fill.traces = traces
    return fill
  }
}

extension RequestTemplate {
  /// Returns the request as bytes.
  func bytes(_ identity: ClientIdentity, _ fill: RequestFill) -> RequestBytes {
    let fill = identity.completed(fill)
    guard hasBody else {
      return RequestBytes(bytes: finish(identity, fill, length: nil), bodyLength: 0)
    }
    var filled: [ByteBuffer] = []
    filled.reserveCapacity(2)
    var length = textLength
    for piece in body {
      guard let bytes = piece.bytes(fill) else { continue }
      length += bytes.readableBytes
      filled.append(bytes)
    }
    var out = finish(identity, fill, length: length)
    var next = 0
    for piece in body {
      if case .text(let text) = piece {
        out.writeImmutableBuffer(text)
      } else {
        out.writeImmutableBuffer(filled[next])
        next += 1
      }
    }
    return RequestBytes(bytes: out, bodyLength: length)
  }

  /// Returns the request with another body; header fields follow the values that this one was made with.
  func bytes(
    _ identity: ClientIdentity, _ fill: RequestFill = RequestFill(), body: ByteBuffer
  ) -> RequestBytes {
    let length = body.readableBytes
    var out = finish(identity, identity.completed(fill), length: length)
    out.writeImmutableBuffer(body)
    return RequestBytes(bytes: out, bodyLength: length)
  }

  /// Returns the body alone.
  func body(_ fill: RequestFill) -> ByteBuffer {
    RequestTemplate.text(body, fill)
  }

  private static func text(_ pieces: [Piece], _ fill: RequestFill) -> ByteBuffer {
    pieces.reduce(into: ByteBuffer()) { out, piece in
      if case .text(let text) = piece { out.writeImmutableBuffer(text) }
      if let bytes = piece.bytes(fill) { out.writeImmutableBuffer(bytes) }
    }
  }

  private func finish(
    _ identity: ClientIdentity, _ fill: RequestFill, length: Int?
  ) -> ByteBuffer {
    let lines = isInSession ? identity.lines : nil
    var out = ByteBuffer()
    out.reserveCapacity(
      opening.readableBytes + (lines?.readableBytes ?? 0) + (length ?? 0) + 40
        + (identity.credential?.line.readableBytes ?? 0))
    if hasBody, let endpoint = identity.endpoint {
      out = RequestTemplate.opening(verb, endpoint, head)
    } else {
      out.writeImmutableBuffer(opening)
    }
    for field in liveFields { write(field, fill, to: &out) }
    if let credential = identity.credential { out.writeImmutableBuffer(credential.line) }
    if let lines { out.writeImmutableBuffer(lines) }
    if let length {
      out.writeStaticString("Content-Length: ")
      out.writeString(String(length))
      out.writeStaticString("\r\n\r\n")
    } else {
      out.writeStaticString("\r\n")
    }
    return out
  }
}

extension RequestTemplate {
  private func write(_ field: LiveField, _ fill: RequestFill, to out: inout ByteBuffer) {
    let value = String(buffer: RequestTemplate.text(field.value, fill))
    if let column = field.column {
      let isGiven = column < fill.row.count && fill.row[column] != nil
      guard isGiven || !field.isOptional else { return }
      out.writeString("\(field.name): \(value)\r\n")
    } else {
      out.writeString("\(field.name): \(HeaderText.encoded(value))\r\n")
    }
  }
}

extension RequestTemplate.Piece {
  /// What a clone fills in; `nil` for text.
  fileprivate func bytes(_ fill: RequestFill) -> ByteBuffer? {
    switch self {
    case .text: nil
    case .id: fill.id?.bytes ?? ByteBuffer()
    case .progressToken(let isString): token(fill.id, isString).bytes
    case .cursor: fill.cursor?.bytes ?? ByteBuffer(string: "null")
    case .value(let value):
      value.bytes(fill.value(value))
    case .traceParent(let parent): parent.bytes(fill.traces)
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
