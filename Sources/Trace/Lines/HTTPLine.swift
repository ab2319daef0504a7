public import Basics

/// An HTTP exchange whose request carries no JSON-RPC.
public struct HTTPLine: Hashable, Sendable {
  /// What the exchange is for.
  public enum Role: String, CaseIterable, Hashable, Sendable {
    /// A GET stream opens (or was refused: then there is no closing line).
    case streamOpen = "stream-open"
    /// A GET stream ends.
    case streamClose = "stream-close"
    /// The client ends its session.
    case delete
    /// OAuth: metadata, registration, authorisation, token.
    case auth
    /// Anything else.
    case other
  }

  /// The HTTP exchange.
  public var x: Int
  /// The connection.
  public var conn: Int
  /// First byte of the request.
  public var t: Int64
  /// HTTP method.
  public var method: String
  /// Request target; credentials in its query are surrogates.
  public var target: String
  /// What it is for.
  public var role: Role
  /// The session.
  public var session: String?
  /// The session's counter; `nil` outside a session.
  public var n: Int?
  /// Last byte of the answer.
  public var done: Int64?
  /// HTTP status.
  public var status: Int?
  /// `n` of the answers that came before it, without those implied by others.
  public var after: [Int]?
  /// `t` minus the latest `done` of `after`, nanoseconds.
  public var think: Int64?
  /// How a stream ended: `complete`, `fin`, `rst`, `capture-end`.
  public var how: String?
  /// `Last-Event-ID` of a resumed stream.
  public var lastEventID: String?
  /// Header fields of the request, in wire order.
  public var headers: HeaderFields?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates an http line.
  public init(x: Int, conn: Int, t: Int64, method: String, target: String, role: Role) {
    self.x = x
    self.conn = conn
    self.t = t
    self.method = method
    self.target = target
    self.role = role
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    x = try fields.int("x")
    conn = try fields.int("conn")
    t = try fields.int64("t")
    method = try fields.string("method")
    target = try fields.string("target")
    role = try fields.required("role")
    session = try fields.optionalString("session")
    n = try fields.optionalInt("n")
    done = try fields.optionalInt64("done")
    status = try fields.optionalInt("status")
    after = try fields.optionalInts("after")
    think = try fields.optionalInt64("think")
    how = try fields.optionalString("how")
    lastEventID = try fields.optionalString("last_event_id")
    headers = try fields.optionalHeaders("headers")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("session", session)
    object.member("n", n)
    object.member("x", x)
    object.member("conn", conn)
    object.member("t", t)
    object.member("done", done)
    object.member("method", method)
    object.member("target", target)
    object.member("role", role.rawValue)
    object.member("status", status)
    object.member("after", after)
    object.member("think", think)
    object.member("how", how)
    object.member("last_event_id", lastEventID)
    object.member("headers", headers)
    object.extra(extra)
  }
}
