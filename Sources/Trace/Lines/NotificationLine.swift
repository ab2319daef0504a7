public import Basics

/// A JSON-RPC notification.
public struct NotificationLine: Hashable, Sendable {
  /// The session.
  public var session: String?
  /// The session's counter.
  public var n: Int
  /// First byte.
  public var t: Int64
  /// Which way it went.
  public var dir: Direction
  /// The method.
  public var method: String
  /// `n` of the request it belongs to (progress token, cancelled request id).
  public var re: Int?
  /// Last byte; of a POSTed one the last byte of the HTTP answer.
  public var done: Int64?
  /// `n` of the answers that came before it, without those implied by others.
  public var after: [Int]?
  /// `t` minus the latest `done` of `after`, nanoseconds.
  public var think: Int64?
  /// HTTP status of the POST.
  public var status: Int?
  /// The connection.
  public var conn: Int?
  /// The HTTP exchange.
  public var x: Int?
  /// How it travelled.
  public var via: Via?
  /// The SSE event that carried it.
  public var event: StreamEvent?
  /// Position in a JSON-RPC batch, from 0.
  public var batch: Int?
  /// Header fields of the HTTP request, in wire order.
  public var headers: HeaderFields?
  /// The params, verbatim.
  public var params: RawJSON?
  /// Size of the JSON-RPC message.
  public var bytes: Int?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []
}

extension NotificationLine {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Creates a notification.
  public init(session: String?, n: Int, t: Int64, dir: Direction, method: String) {
    self.init(session: session, n: n, t: t, dir: dir, method: method, re: nil)
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    session = try fields.nullableString("session")
    n = try fields.int("n")
    t = try fields.int64("t")
    dir = try fields.direction("dir")
    method = try fields.string("method")
    re = try fields.optionalInt("re")
    done = try fields.optionalInt64("done")
    after = try fields.optionalInts("after")
    think = try fields.optionalInt64("think")
    status = try fields.optionalInt("status")
    conn = try fields.optionalInt("conn")
    x = try fields.optionalInt("x")
    via = try fields.optionalCase("via")
    if var object = try fields.optionalObject("event") { event = try StreamEvent(&object) }
    batch = try fields.optionalInt("batch")
    headers = try fields.optionalHeaders("headers")
    params = fields.optionalRaw("params")
    bytes = try fields.optionalInt("bytes")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.session(session)
    object.member("n", n)
    object.member("t", t)
    object.member("done", done)
    object.member("dir", literal: dir.word)
    object.member("method", method)
    object.member("re", re)
    object.member("after", after)
    object.member("think", think)
    object.member("status", status)
    object.member("conn", conn)
    object.member("x", x)
    object.member("via", literal: via?.word)
    if let event { object.member("event") { event.write(to: &$0) } }
    object.member("batch", batch)
    object.member("headers", headers)
    object.member("params", params)
    object.member("bytes", bytes)
    object.extra(extra)
  }
}
