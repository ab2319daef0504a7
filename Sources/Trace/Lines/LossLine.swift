import Basics

/// Something seen but not understood, or not kept.
public struct LossLine: Hashable, Sendable {
  /// When.
  public var t: Int64
  /// The counter's name, `tcp.gap`, `http.malformed`, …
  public var kind: String
  /// Bytes concerned.
  public var bytes: Int?
  /// Packets concerned.
  public var packets: Int?
  /// The session.
  public var session: String?
  /// The connection.
  public var conn: Int?
  /// The HTTP exchange.
  public var x: Int?
  /// Offset in the direction's stream.
  public var offset: Int?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates a loss line.
  public init(t: Int64, kind: String, bytes: Int? = nil, conn: Int? = nil, x: Int? = nil) {
    self.t = t
    self.kind = kind
    self.bytes = bytes
    self.conn = conn
    self.x = x
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    t = try fields.int64("t")
    kind = try fields.string("kind")
    bytes = try fields.optionalInt("bytes")
    packets = try fields.optionalInt("packets")
    session = try fields.optionalString("session")
    conn = try fields.optionalInt("conn")
    x = try fields.optionalInt("x")
    offset = try fields.optionalInt("offset")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("t", t)
    object.member("kind", kind)
    object.member("bytes", bytes)
    object.member("packets", packets)
    object.member("session", session)
    object.member("conn", conn)
    object.member("x", x)
    object.member("offset", offset)
    object.extra(extra)
  }
}
