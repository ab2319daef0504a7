public import Basics
import MCP
public import NIOCore
import Trace

/// Finds out, without I/O, which kind of revision a target speaks, as client libraries do when they connect.
///
/// Theory: the recording's own kind is asked for first: `initialize` for sessions (ended again with DELETE), `server/discover` for
/// stateless revisions. Only a refusal leads to the other question; silence, failures of the server and demands for credentials say
/// nothing, and then everything is replayed as it was. Where a session is to be told statelessly, the target's tools are listed too:
/// their schemas say which arguments it wants in headers.
public struct Negotiation {
  /// A message for the target; wait for its answer and say it with `take`.
  public struct Question: Sendable {
    /// The whole HTTP request, for a connection that closes or not.
    public var bytes: ByteBuffer
    /// Length of the body, which ends the request; a stdio server gets the body alone.
    public var bodyLength: Int
    /// JSON-RPC id of the answer; `nil` when none comes.
    public var id: RawJSON?
  }

  /// What a target said.
  public struct Answer: Sendable {
    /// HTTP status; `nil` over stdio, or when nothing came in time.
    public var status: Int?
    /// `Mcp-Session-Id`.
    public var sessionID: String?
    /// `result`.
    public var result: RawJSON?
    /// `error`.
    public var error: RawJSON?

    /// Creates the answer of a target that says nothing.
    public init() {}

    /// Statuses with which servers turn down what they do not know; others speak of load, rights or breakdowns.
    private static let refusals: Set<Int> = [400, 404, 405, 406, 410, 415, 501]

    var isRefusal: Bool {
      guard result == nil else { return false }
      return error != nil && status ?? 200 < 300 || status.map(Answer.refusals.contains) ?? false
    }
  }

  private enum Stage: Hashable {
    case initialize
    case discover
    case delete
    case list
  }

  /// What is known so far; complete when `next` has no more to ask.
  public private(set) var spoken = SpokenRevisions()
  private let target: ReplayTarget
  private let path: String
  private let hasSessions: Bool
  private let hasStateless: Bool
  private let calls: Bool
  private var todo: [Stage] = []
  private var asked: Stage?
  private var identity = ClientIdentity()
  private var lastID: Int64 = 0
  private var cursor: JSONValue?
  private var pages = 0

  /// A listing longer than this is not read to its end.
  private static let pageLimit = 100

  /// Begins for the sessions of `traffic`.
  public init(_ traffic: RecordedTraffic, _ target: ReplayTarget) {
    self.target = target
    path = target.path ?? traffic.scripts.first?.path ?? "/mcp"
    hasStateless = traffic.scripts.contains(where: \.isStateless)
    hasSessions = traffic.scripts.contains { !$0.isStateless && !$0.steps.isEmpty }
    calls = traffic.scripts.contains { $0.calls > 0 && !$0.isStateless }
    if hasSessions { todo.append(.initialize) }
    if hasStateless { todo.append(.discover) }
  }

  /// Returns the next question; `nil` when all is known that can be.
  public mutating func next() -> Question? {
    guard !todo.isEmpty else { return nil }
    let stage = todo.removeFirst()
    asked = stage
    var step = ScriptStep(n: 0, kind: .request, method: "")
    step.isModern = stage == .discover || stage == .list
    switch stage {
    case .initialize: step = Handshake(revision: Modern.lastWithSessions).steps[0]
    case .discover: step.method = Method.discover
    case .list: step.method = Method.toolsList
    case .delete: step.kind = .delete
    }
    if step.isModern { step.params = params() }
    lastID += 1
    let id = RawJSON(.int(lastID))
    let request = RequestBook.template(step, path, target).bytes(identity, RequestFill(id: id))
    return Question(
      bytes: request.bytes, bodyLength: request.bodyLength, id: stage == .delete ? nil : id)
  }

  private func params() -> RawJSON {
    var version = Modern.firstRevision
    if case .speaks(let revision) = spoken.stateless { version = revision.description }
    var members: [JSONValue.Member] = []
    if let cursor { members.append(.init("cursor", cursor)) }
    let client = Implementation(name: "replay", version: "1")
    members.append(
      .init(
        "_meta",
        .object([
          .init(Modern.versionKey, .string(version)),
          .init(Modern.clientKey, Handshake.describe(client)),
          .init(Modern.capabilitiesKey, .object([])),
        ])))
    return RawJSON(.object(members))
  }

  /// Takes the answer to the last question.
  public mutating func take(_ answer: Answer) {
    switch asked {
    case .initialize: initialized(answer)
    case .discover: discovered(answer)
    case .list: listed(answer)
    case .delete, nil: break
    }
    asked = nil
  }

  private mutating func initialized(_ answer: Answer) {
    if let version = answer.result?.member("protocolVersion")?.string.map(Revision.init),
      !version.isStateless
    {
      spoken.withSessions = .speaks(version)
      identity.sessionID = answer.sessionID
      identity.revision = version.description
      if answer.sessionID != nil, target.command == nil { todo.insert(.delete, at: 0) }
    } else if answer.isRefusal {
      spoken.withSessions = .refused
      if spoken.stateless == .unknown, !todo.contains(.discover) { todo.append(.discover) }
    }
  }

  private mutating func discovered(_ answer: Answer) {
    let offers = answer.result?.member("supportedVersions")
    let supported = offers ?? answer.error?.member("data")?.member("supported")
    let versions = (supported?.value.array ?? []).compactMap { $0.string.map(Revision.init) }
    if let version = versions.filter(\.isStateless).min() {
      spoken.stateless = .speaks(version)
      if spoken.withSessions == .refused, calls { todo.append(.list) }
    } else if answer.isRefusal || offers != nil {
      spoken.stateless = .refused
      if hasStateless, spoken.withSessions == .unknown { todo.append(.initialize) }
    }
  }

  private mutating func listed(_ answer: Answer) {
    pages += 1
    answer.result?.member("tools")?.forEachElement { tool in
      guard let tool = ListedTool(tool.value), !tool.mirrors.isEmpty else { return }
      spoken.mirrored[tool.name] = tool.mirrors
    }
    cursor = answer.result?.member("nextCursor")?.value
    if cursor?.string != nil, pages < Negotiation.pageLimit { todo.append(.list) }
  }
}
