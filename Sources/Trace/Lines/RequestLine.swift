public import Basics

/// How a message travelled.
public enum Via: String, CaseIterable, Hashable, Sendable {
  /// In the body of a POST.
  case post
  /// In an SSE stream (server to client).
  case sse
  /// A plain JSON answer.
  case json
  /// An event of the POST's own answer stream.
  case postSSE = "post-sse"
  /// An event of a GET stream.
  case getSSE = "get-sse"
  /// A line on standard input or output.
  case stdio
}

/// Who had the idea to send a request.
public enum Origin: String, CaseIterable, Hashable, Sendable {
  /// The agent: an LLM's decision, or its host's.
  case agent
  /// The client library, unasked.
  case sdk
}

/// Why a request waits for the answers in its `after`, strongest first.
public enum AfterReason: String, CaseIterable, Hashable, Sendable {
  /// It carries a value that came from one of them.
  case uses
  /// The protocol demands the order.
  case `protocol`
  /// It merely came later.
  case order
}

/// A JSON-RPC request.
public struct RequestLine: Hashable, Sendable {
  /// The session, `nil` when it belongs to none (a failed initialize).
  public var session: String?
  /// The session's counter.
  public var n: Int
  /// First byte.
  public var t: Int64
  /// Which way it went.
  public var dir: Direction
  /// The id token as on the wire.
  public var id: RawJSON
  /// The method.
  public var method: String
  /// Last byte.
  public var sent: Int64?
  /// `params.name` of a `tools/call`.
  public var tool: String?
  /// Who had the idea.
  public var origin: Origin?
  /// The agent's turn, 0 before its first request.
  public var turn: Int?
  /// `n` of the answers it waited for, without those implied by others.
  public var after: [Int]?
  /// Why it waited for them.
  public var afterBy: AfterReason?
  /// `t` minus the latest `done` of `after`, nanoseconds: the agent's own time.
  public var think: Int64?
  /// Values that came from earlier answers: `[{at, from, path}]`.
  public var uses: JSONValue?
  /// The connection.
  public var conn: Int?
  /// The HTTP exchange.
  public var x: Int?
  /// How it travelled.
  public var via: Via?
  /// HTTP/2 stream.
  public var stream: Int?
  /// Position in a JSON-RPC batch, from 0.
  public var batch: Int?
  /// Header fields of the HTTP request, in wire order.
  public var headers: HeaderFields?
  /// The params, verbatim.
  public var params: RawJSON?
  /// `n` of the request whose `input_required` it resumes.
  public var continues: Int?
  /// `n` of the request it repeats (after a 401).
  public var retryOf: Int?
  /// `n` of the request whose task it polls.
  public var pollOf: Int?
  /// Size of the JSON-RPC message.
  public var bytes: Int?
  /// JSON Pointers to what of the params is a surrogate; `nil` when nothing is, or when the header's `payloads` says that all is.
  public var redacted: [String]?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []
}

extension RequestLine {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Creates a request.
  public init(
    session: String?, n: Int, t: Int64, dir: Direction, id: RawJSON, method: String
  ) {
    self.init(
      session: session, n: n, t: t, dir: dir, id: id, method: method, sent: nil)
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    session = try fields.nullableString("session")
    n = try fields.int("n")
    t = try fields.int64("t")
    dir = try fields.direction("dir")
    id = try fields.raw("id")
    method = try fields.string("method")
    sent = try fields.optionalInt64("sent")
    tool = try fields.optionalString("tool")
    origin = try fields.optionalCase("origin")
    turn = try fields.optionalInt("turn")
    after = try fields.optionalInts("after")
    afterBy = try fields.optionalCase("after_by")
    think = try fields.optionalInt64("think")
    uses = fields.optionalRaw("uses")?.value
    conn = try fields.optionalInt("conn")
    x = try fields.optionalInt("x")
    via = try fields.optionalCase("via")
    stream = try fields.optionalInt("stream")
    batch = try fields.optionalInt("batch")
    headers = try fields.optionalHeaders("headers")
    params = fields.optionalRaw("params")
    continues = try fields.optionalInt("continues")
    retryOf = try fields.optionalInt("retry_of")
    pollOf = try fields.optionalInt("poll_of")
    bytes = try fields.optionalInt("bytes")
    redacted = try fields.optionalStrings("redacted")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.session(session)
    object.member("n", n)
    object.member("t", t)
    object.member("sent", sent)
    object.member("dir", literal: dir.word)
    object.member("id", id)
    object.member("method", method)
    object.member("tool", tool)
    object.member("origin", literal: origin?.word)
    object.member("turn", turn)
    object.member("after", after)
    object.member("after_by", literal: afterBy?.word)
    object.member("think", think)
    object.member("uses", uses)
    object.member("conn", conn)
    object.member("x", x)
    object.member("via", literal: via?.word)
    object.member("stream", stream)
    object.member("batch", batch)
    object.member("continues", continues)
    object.member("retry_of", retryOf)
    object.member("poll_of", pollOf)
    object.member("headers", headers)
    object.member("params", params)
    object.member("bytes", bytes)
    object.member("redacted", redacted)
    object.extra(extra)
  }

  /// True for a call in the sense of the results: an agent-made `tools/call` that neither resumes nor repeats
  /// another.
  public var isLogicalCall: Bool {
    method == "tools/call" && dir == .c2s && origin == .agent && continues == nil && retryOf == nil
  }
}
