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
  }

  /// Start line and fields that are the same for all clones, without `Content-Length` and the empty line.
  var head: ByteBuffer
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
  /// The revision that this server chose.
  var revision: String?
}

extension RequestTemplate {
  /// Returns the request as bytes.
  func bytes(_ identity: ClientIdentity, id: RawJSON?, cursor: RawJSON?) -> RequestBytes {
    guard hasBody else {
      return RequestBytes(bytes: finish(identity, length: nil, capacity: 0), bodyLength: 0)
    }
    var length = 0
    for piece in body { length += RequestTemplate.length(piece, id, cursor) }
    var out = finish(identity, length: length, capacity: length)
    for piece in body { RequestTemplate.write(piece, id, cursor, to: &out) }
    return RequestBytes(bytes: out, bodyLength: length)
  }

  /// Returns the request with another body.
  func bytes(_ identity: ClientIdentity, body: ByteBuffer) -> RequestBytes {
    var out = finish(identity, length: body.readableBytes, capacity: body.readableBytes)
    out.writeImmutableBuffer(body)
    return RequestBytes(bytes: out, bodyLength: body.readableBytes)
  }

  private func finish(_ identity: ClientIdentity, length: Int?, capacity: Int) -> ByteBuffer {
    var out = ByteBuffer()
    out.reserveCapacity(head.readableBytes + capacity + 160)
    out.writeImmutableBuffer(head)
    if isInSession {
      if let session = identity.sessionID { out.writeString("mcp-session-id: \(session)\r\n") }
      // The header came with 2025-06-18; dates compare as text.
      if let revision = identity.revision, revision >= "2025-06-18" {
        out.writeString("mcp-protocol-version: \(revision)\r\n")
      }
    }
    if let length { out.writeString("Content-Length: \(length)\r\n") }
    out.writeStaticString("\r\n")
    return out
  }

  private static func length(_ piece: Piece, _ id: RawJSON?, _ cursor: RawJSON?) -> Int {
    switch piece {
    case .text(let text): text.readableBytes
    case .id: id?.bytes.readableBytes ?? 0
    case .progressToken(let isString): token(id, isString).bytes.readableBytes
    case .cursor: cursor?.bytes.readableBytes ?? 4
    }
  }

  private static func write(
    _ piece: Piece, _ id: RawJSON?, _ cursor: RawJSON?, to out: inout ByteBuffer
  ) {
    switch piece {
    case .text(let text): out.writeImmutableBuffer(text)
    case .id: if let id { out.writeImmutableBuffer(id.bytes) }
    case .progressToken(let isString): out.writeImmutableBuffer(token(id, isString).bytes)
    case .cursor: out.writeImmutableBuffer(cursor?.bytes ?? ByteBuffer(string: "null"))
    }
  }

  /// The progress token follows the id, as SDKs do it, in the JSON type that was recorded.
  private static func token(_ id: RawJSON?, _ isString: Bool) -> RawJSON {
    guard let id else { return RawJSON(.int(0)) }
    let isQuoted = id.bytes.getInteger(at: id.bytes.readerIndex, as: UInt8.self) == 0x22
    guard isString, !isQuoted else { return id }
    return RawJSON(trusted: ByteBuffer(string: "\"\(id.text)\""))
  }
}
