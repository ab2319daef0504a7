public import Basics

/// How a request ended; the first that applies, in this order (the result's nine classes).
public enum Outcome: String, CaseIterable, Hashable, Sendable {
  /// No complete answer, the connection failed.
  case transportError = "transport_error"
  /// The client gave up waiting; a recorder never says it.
  case timeout
  /// The client's notification, or it closed the stream.
  case cancelled
  /// 404 to a known session id.
  case sessionLost = "session_lost"
  /// The body is a JSON-RPC error, whatever the status.
  case jsonrpcError = "jsonrpc_error"
  /// An HTTP status that says no, without a JSON-RPC body.
  case httpError = "http_error"
  /// `isError: true`.
  case toolError = "tool_error"
  /// A result; also `input_required` and task handles.
  case ok
  /// The recording ended first.
  case unanswered
}

/// How a request ended; every request gets one.
public struct ResponseLine: Hashable, Sendable {
  /// Who ended the exchange.
  public enum EndedBy: String, CaseIterable, Hashable, Sendable {
    /// The client closed or cancelled.
    case client
    /// The server answered or closed.
    case server
    /// The recording ended.
    case capture
  }

  /// The session of the request.
  public var session: String?
  /// The session's counter.
  public var n: Int
  /// `n` of the request.
  public var re: Int
  /// First byte.
  public var t: Int64
  /// Which way it went.
  public var dir: Direction
  /// How it ended.
  public var outcome: Outcome
  /// Last byte, or when it was given up.
  public var done: Int64?
  /// Who ended it.
  public var by: EndedBy?
  /// `n` of the notification that cancelled it.
  public var cancelledBy: Int?
  /// HTTP status.
  public var status: Int?
  /// JSON-RPC error code.
  public var code: Int64?
  /// The connection that carried it.
  public var conn: Int?
  /// The HTTP exchange that carried it.
  public var x: Int?
  /// How it travelled.
  public var via: Via?
  /// The SSE event that carried it.
  public var event: StreamEvent?
  /// Position in a JSON-RPC batch, from 0.
  public var batch: Int?
  /// Header fields of the HTTP response, in wire order.
  public var headers: HeaderFields?
  /// The result, verbatim.
  public var result: RawJSON?
  /// The error object, verbatim.
  public var error: RawJSON?
  /// A body that is no JSON-RPC message, as text.
  public var body: String?
  /// A body that is neither JSON nor UTF-8, base64.
  public var raw: String?
  /// True when `raw` or `body` was cut at the payload limit.
  public var truncated: Bool?
  /// Size of the JSON-RPC message, or of the body.
  public var bytes: Int?
  /// JSON Pointers to what of the client's result is a surrogate; `nil` when nothing is, or when the header's `payloads` says that all is.
  public var redacted: [String]?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []
}

extension ResponseLine {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Creates a response.
  public init(session: String?, n: Int, re: Int, t: Int64, dir: Direction, outcome: Outcome) {
    self.init(
      session: session, n: n, re: re, t: t, dir: dir, outcome: outcome, done: nil)
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    session = try fields.nullableString("session")
    n = try fields.int("n")
    re = try fields.int("re")
    t = try fields.int64("t")
    dir = try fields.direction("dir")
    outcome = try fields.required("outcome")
    done = try fields.optionalInt64("done")
    by = try fields.optionalCase("by")
    cancelledBy = try fields.optionalInt("cancelled_by")
    status = try fields.optionalInt("status")
    code = try fields.optionalInt64("code")
    conn = try fields.optionalInt("conn")
    x = try fields.optionalInt("x")
    via = try fields.optionalCase("via")
    if var object = try fields.optionalObject("event") { event = try StreamEvent(&object) }
    batch = try fields.optionalInt("batch")
    headers = try fields.optionalHeaders("headers")
    result = fields.optionalRaw("result")
    error = fields.optionalRaw("error")
    body = try fields.optionalString("body")
    raw = try fields.optionalString("raw")
    truncated = try fields.optionalBool("truncated")
    bytes = try fields.optionalInt("bytes")
    redacted = try fields.optionalStrings("redacted")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.session(session)
    object.member("n", n)
    object.member("re", re)
    object.member("t", t)
    object.member("done", done)
    object.member("dir", literal: dir.word)
    object.member("outcome", literal: outcome.word)
    object.member("by", literal: by?.word)
    object.member("cancelled_by", cancelledBy)
    object.member("status", status)
    object.member("code", code)
    object.member("conn", conn)
    object.member("x", x)
    object.member("via", literal: via?.word)
    if let event { object.member("event") { event.write(to: &$0) } }
    object.member("batch", batch)
    object.member("headers", headers)
    object.member("result", result)
    object.member("error", error)
    object.member("body", body)
    object.member("raw", raw)
    object.member("truncated", truncated)
    object.member("bytes", bytes)
    object.member("redacted", redacted)
    object.extra(extra)
  }
}
