public import Basics

/// A transport connection, written when it opens and again when it ends.
public struct ConnectionLine: Hashable, Sendable {
  /// What was found inside.
  public enum Content: String, CaseIterable, Hashable, Sendable {
    /// HTTP/1.x
    case http1 = "http/1.1"
    /// HTTP/2
    case h2
    /// Lines of JSON-RPC.
    case stdio
    /// Not understood; only counted.
    case opaque
  }

  /// Number of the connection from 1.
  public var conn: Int
  /// First sight.
  public var t: Int64
  /// `ip:port` of who dialled.
  public var client: String
  /// `ip:port` of what the client dialled.
  public var server: String
  /// `ip:port` that a proxy forwards to.
  public var upstream: String?
  /// What was found inside.
  public var content: Content?
  /// `{version, sni, alpn}` of a TLS connection.
  public var tls: JSONValue?
  /// Last sight of a connection that ended.
  public var closed: Int64?
  /// How it ended: `fin`, `rst`, `idle` or `capture-end`.
  public var how: String?
  /// Payload bytes from the client; present when it ended.
  public var bytesC2S: Int?
  /// Payload bytes from the server; present when it ended.
  public var bytesS2C: Int?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates the line that opens a connection.
  public init(conn: Int, t: Int64, client: String, server: String) {
    self.conn = conn
    self.t = t
    self.client = client
    self.server = server
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    conn = try fields.int("conn")
    t = try fields.int64("t")
    client = try fields.string("client")
    server = try fields.string("server")
    upstream = try fields.optionalString("upstream")
    content = try fields.optionalCase("protocol")
    tls = fields.optionalRaw("tls")?.value
    closed = try fields.optionalInt64("closed")
    how = try fields.optionalString("how")
    if var bytes = try fields.optionalObject("bytes") {
      bytesC2S = try bytes.int("c2s")
      bytesS2C = try bytes.int("s2c")
    }
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("conn", conn)
    object.member("t", t)
    object.member("client", client)
    object.member("server", server)
    object.member("upstream", upstream)
    object.member("protocol", content?.rawValue)
    object.member("tls", tls)
    object.member("closed", closed)
    object.member("how", how)
    if let bytesC2S, let bytesS2C {
      object.member("bytes") {
        $0.member("c2s", bytesC2S)
        $0.member("s2c", bytesS2C)
      }
    }
    object.extra(extra)
  }
}
