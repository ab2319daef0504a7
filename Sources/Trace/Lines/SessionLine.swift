import Basics

/// Name and version that a peer says of itself (`clientInfo`, `serverInfo`).
public struct Implementation: Hashable, Sendable {
  /// The program's name.
  public var name: String
  /// Its version.
  public var version: String
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates a description.
  public init(name: String, version: String) {
    self.name = name
    self.version = version
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    name = try fields.string("name")
    version = try fields.optionalString("version") ?? ""
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("name", name)
    object.member("version", version)
    object.extra(extra)
  }
}

/// What a session is known by, and how sure that is.
public struct SessionKey: Hashable, Sendable {
  /// The kind of evidence that decided.
  public enum By: String, CaseIterable, Hashable, Sendable {
    /// `Mcp-Session-Id` header (explicit).
    case mcpSessionID = "mcp-session-id"
    /// The `endpoint` event's URL of the HTTP+SSE transport (explicit).
    case sseEndpoint = "sse-endpoint"
    /// One process (explicit).
    case stdio
    /// An echoed `requestState`.
    case requestState = "request-state"
    /// A task id.
    case task
    /// A `traceparent`.
    case traceContext = "trace-context"
    /// A credential of its own.
    case credential
    /// Client name and version.
    case clientInfo = "client-info"
    /// A gap-free chain of JSON-RPC ids.
    case idChain = "id-chain"
    /// A value the server minted, passed back.
    case dataFlow = "data-flow"
    /// Only the transport connection.
    case connection

    /// True where the protocol itself names the session.
    public var isExplicit: Bool {
      self == .mcpSessionID || self == .sseEndpoint || self == .stdio
    }
  }

  /// The strongest evidence.
  public var by: By
  /// The identifying value; a surrogate unless redaction is off.
  public var value: String?
  /// All evidence that was used, strongest first.
  public var evidence: [String]
  /// 0 to 1; 1 for explicit keys.
  public var confidence: Double
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates a key.
  public init(by: By, value: String?, evidence: [String], confidence: Double) {
    self.by = by
    self.value = value
    self.evidence = evidence
    self.confidence = confidence
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    by = try fields.required("by")
    value = try fields.optionalString("value")
    evidence = try fields.optionalStrings("evidence") ?? []
    guard let number = try fields.raw("confidence").value.double, (0...1).contains(number) else {
      throw TraceFormatError(.wrongType(key: "confidence", expected: "a number from 0 to 1"))
    }
    confidence = number
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("by", by.rawValue)
    object.member("value", value)
    object.member("evidence", evidence)
    let number =
      switch confidence {
      case 0: "0"
      case 1: "1"
      default: String(confidence)
      }
    object.member("confidence", JSONValue.number(number))
    object.extra(extra)
  }
}

/// A session; may repeat, the last value of a key wins.
public struct SessionLine: Hashable, Sendable {
  /// How messages travel.
  public enum Transport: String, CaseIterable, Hashable, Sendable {
    /// Streamable HTTP, 2025-03-26 and later.
    case streamableHTTP = "streamable-http"
    /// HTTP+SSE of 2024-11-05.
    case httpSSE = "http+sse"
    /// Lines on standard input and output.
    case stdio
  }

  /// Whether the recording holds the session's beginning.
  public enum Start: String, CaseIterable, Hashable, Sendable {
    /// Yes.
    case seen
    /// It began before the recording.
    case cut
  }

  /// Name in this trace: `s1`, `s2`, …
  public var session: String
  /// First byte of the session's first message.
  public var t: Int64
  /// How messages travel.
  public var transport: Transport
  /// The `Host` that the client named.
  public var authority: String?
  /// Path of the MCP endpoint.
  public var path: String?
  /// Negotiated protocol revision, `2025-11-25`.
  public var revision: String?
  /// What the client says of itself.
  public var client: Implementation?
  /// What the server says of itself.
  public var server: Implementation?
  /// What the session is known by.
  public var key: SessionKey?
  /// Whether its beginning was recorded.
  public var start: Start?
  /// Links sessions of one agent run.
  public var agent: String?
  /// Keyed hash of issuer, subject and client of a bearer token.
  public var principal: String?
  /// True in later segments: the file does not hold its beginning.
  public var continues: Bool?
  /// The counter's next value in later segments.
  public var nextN: Int?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates a session line.
  public init(session: String, t: Int64, transport: Transport) {
    self.session = session
    self.t = t
    self.transport = transport
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    session = try fields.string("session")
    t = try fields.int64("t")
    transport = try fields.required("transport")
    authority = try fields.optionalString("authority")
    path = try fields.optionalString("path")
    revision = try fields.optionalString("revision")
    if var object = try fields.optionalObject("client") { client = try Implementation(&object) }
    if var object = try fields.optionalObject("server") { server = try Implementation(&object) }
    if var object = try fields.optionalObject("key") { key = try SessionKey(&object) }
    start = try fields.optionalCase("start")
    agent = try fields.optionalString("agent")
    principal = try fields.optionalString("principal")
    continues = try fields.optionalBool("continues")
    nextN = try fields.optionalInt("next_n")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("session", session)
    object.member("t", t)
    object.member("transport", transport.rawValue)
    object.member("authority", authority)
    object.member("path", path)
    object.member("revision", revision)
    if let client { object.member("client") { client.write(to: &$0) } }
    if let server { object.member("server") { server.write(to: &$0) } }
    if let key { object.member("key") { key.write(to: &$0) } }
    object.member("start", start?.rawValue)
    object.member("agent", agent)
    object.member("principal", principal)
    object.member("continues", continues)
    object.member("next_n", nextN)
    object.extra(extra)
  }

  /// Returns this line with every key that `later` has, as repeated lines are to be read. `t` stays the earliest, and what was told
  /// from its beginning is not continued by a later segment that follows.
  public func updated(by later: SessionLine) -> SessionLine {
    var merged = later
    merged.t = min(t, later.t)
    merged.authority = later.authority ?? authority
    merged.path = later.path ?? path
    merged.revision = later.revision ?? revision
    merged.client = later.client ?? client
    merged.server = later.server ?? server
    merged.key = later.key ?? key
    merged.start = later.start ?? start
    merged.agent = later.agent ?? agent
    merged.principal = later.principal ?? principal
    merged.continues = continues
    merged.nextN = nextN
    merged.extra = extra.filter { old in !later.extra.contains { $0.key == old.key } } + later.extra
    return merged
  }
}

/// A session is over.
public struct EndLine: Hashable, Sendable {
  /// How a session ended.
  public enum How: String, CaseIterable, Hashable, Sendable {
    /// The client sent DELETE and the server agreed.
    case deleted
    /// Its connections closed.
    case closed
    /// Nothing was heard of it for `--session-idle`.
    case idle
    /// The recording ended first.
    case captureEnd = "capture-end"
    /// The server forgot it (404).
    case lost
  }

  /// The session.
  public var session: String
  /// When.
  public var t: Int64
  /// How.
  public var how: How
  /// The final key.
  public var key: SessionKey
  /// The final agent.
  public var agent: String?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates an end line.
  public init(session: String, t: Int64, how: How, key: SessionKey) {
    self.session = session
    self.t = t
    self.how = how
    self.key = key
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    session = try fields.string("session")
    t = try fields.int64("t")
    how = try fields.required("how")
    guard var object = try fields.optionalObject("key") else {
      throw TraceFormatError(.missing(key: "key"))
    }
    key = try SessionKey(&object)
    agent = try fields.optionalString("agent")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("session", session)
    object.member("t", t)
    object.member("how", how.rawValue)
    object.member("key") { key.write(to: &$0) }
    object.member("agent", agent)
    object.extra(extra)
  }
}
