import Basics

/// Any HTTP exchange, MCP or not (`--exchanges`), for audits and comparison with other tools.
///
/// A request that switches to `h2c` has two lines with its one `x`: that of the 101, flagged `upgraded`, and that of the
/// answer, which is stream 1 of HTTP/2 (RFC 7540 §3.2) and has the 101 among its `interim`. Distinct `x` count requests.
public struct ExchangeLine: Hashable, Sendable {
  /// Size and hash of a decoded body.
  public struct Body: Hashable, Sendable {
    /// Bytes after removing transfer and content codings.
    public var bytes: Int
    /// SHA-256 in hex; `nil` of an incomplete body.
    public var sha256: String?
    /// Keys of later versions.
    public var extra: [ExtraMember] = []

    /// Describes a body.
    public init(bytes: Int, sha256: String?) {
      self.bytes = bytes
      self.sha256 = sha256
    }

    init(_ line: inout TraceFields, _ key: String) throws(TraceFormatError) {
      guard var fields = try line.optionalObject(key) else {
        throw TraceFormatError(.missing(key: key))
      }
      bytes = try fields.int("bytes")
      sha256 = try fields.optionalString("sha256")
      extra = fields.rest
    }

    func write(to object: inout JSONWriter) {
      object.member("bytes", bytes)
      object.member("sha256", sha256)
      object.extra(extra)
    }
  }

  /// The HTTP exchange.
  public var x: Int
  /// The connection.
  public var conn: Int
  /// First byte of the request.
  public var t: Int64
  /// Last byte of the request.
  public var sent: Int64?
  /// First byte of the response.
  public var first: Int64?
  /// Last byte of the response.
  public var done: Int64?
  /// HTTP method.
  public var method: String
  /// Request target.
  public var target: String
  /// HTTP status of the final response.
  public var status: Int?
  /// The request's body.
  public var request: Body
  /// The response's body.
  public var response: Body
  /// Interim statuses before it.
  public var interim: [Int]?
  /// HTTP/2 stream.
  public var stream: Int?
  /// What was odd about it.
  public var flags: [String]?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates an exchange line.
  public init(
    x: Int, conn: Int, t: Int64, method: String, target: String, request: Body, response: Body
  ) {
    self.x = x
    self.conn = conn
    self.t = t
    self.method = method
    self.target = target
    self.request = request
    self.response = response
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    x = try fields.int("x")
    conn = try fields.int("conn")
    t = try fields.int64("t")
    sent = try fields.optionalInt64("sent")
    first = try fields.optionalInt64("first")
    done = try fields.optionalInt64("done")
    method = try fields.string("method")
    target = try fields.string("target")
    status = try fields.optionalInt("status")
    request = try Body(&fields, "request")
    response = try Body(&fields, "response")
    interim = try fields.optionalInts("interim")
    stream = try fields.optionalInt("stream")
    flags = try fields.optionalStrings("flags")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("x", x)
    object.member("conn", conn)
    object.member("t", t)
    object.member("sent", sent)
    object.member("first", first)
    object.member("done", done)
    object.member("method", method)
    object.member("target", target)
    object.member("status", status)
    object.member("request") { request.write(to: &$0) }
    object.member("response") { response.write(to: &$0) }
    object.member("interim", interim)
    object.member("stream", stream)
    object.member("flags", flags)
    object.extra(extra)
  }
}
