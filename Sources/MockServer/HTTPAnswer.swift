import NIOCore

/// The bytes of an HTTP/1.1 response (RFC 9112 §4, §7.1), part by part.
enum HTTPAnswer {
  /// A head and a body of known length. A 204 says nothing of its length (RFC 9110 §8.6).
  static func whole(
    _ status: Int, type: String? = nil, session: String? = nil, allow: String? = nil,
    body: ByteBuffer = ByteBuffer()
  ) -> ByteBuffer {
    var out = head(status, session: session)
    if let allow { out.writeString("allow: \(allow)\r\n") }
    if let type { out.writeString("content-type: \(type)\r\n") }
    if status != 204 { out.writeString("content-length: \(body.readableBytes)\r\n") }
    out.writeStaticString("\r\n")
    out.writeImmutableBuffer(body)
    return out
  }

  /// The head of an event stream, whose end is the last chunk.
  static func eventStreamHead(_ status: Int, session: String?) -> ByteBuffer {
    var out = head(status, session: session)
    out.writeStaticString(
      "content-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\n")
    out.writeStaticString("x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n")
    return out
  }

  /// One chunk; must not be empty.
  static func chunk(_ bytes: ByteBuffer) -> ByteBuffer {
    var out = ByteBuffer()
    out.writeString(String(bytes.readableBytes, radix: 16) + "\r\n")
    out.writeImmutableBuffer(bytes)
    out.writeStaticString("\r\n")
    return out
  }

  /// The end of a chunked body.
  static let lastChunk = ByteBuffer(staticString: "0\r\n\r\n")

  private static func head(_ status: Int, session: String?) -> ByteBuffer {
    var out = ByteBuffer()
    out.writeString("HTTP/1.1 \(status) \(reason(status))\r\n")
    if let session { out.writeString("mcp-session-id: \(session)\r\n") }
    return out
  }

  private static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 202: "Accepted"
    case 204: "No Content"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 429: "Too Many Requests"
    case 500: "Internal Server Error"
    case 503: "Service Unavailable"
    default: status < 400 ? "OK" : "Error"
    }
  }
}
