import Basics
import MCP
import Trace
import Wire

/// The sessions under way, by what names them: `Mcp-Session-Id` within (authority, path), the URL of an `endpoint` event, or the agent
/// that `AgentInference` made out.
final class SessionTable {
  private struct ExplicitKey: Hashable {
    var authority: String
    var path: String
    var value: String
  }

  /// Sessions known at once; more than any server that was seen has, and some 2 KiB each.
  static let limit = 16_384

  private(set) var all: [SessionState] = []
  private var explicit: [ExplicitKey: SessionState] = [:]
  /// The explicit sessions that connections carried last, by the lowest bits of the connection's number.
  private var carried = [SessionState?](repeating: nil, count: places)
  private static let places = 64
  private var endpoints: [ExplicitKey: SessionState] = [:]
  private var inferred: [Int: SessionState] = [:]
  private var processes: [Int: SessionState] = [:]
  private var created = 0
  private let siblingGap: Int64

  init(siblingGap: Int64) { self.siblingGap = siblingGap }

  /// The session of a session id.
  func session(id: String, authority: String, path: String) -> SessionState? {
    explicit[ExplicitKey(authority: authority, path: path, value: id)]
  }

  /// The session of a session id in the request of an exchange; `nil` for one that is not known.
  ///
  /// A connection mostly goes on with its session: that is looked at first, and no text made of the id.
  func session(id field: Int, of request: HTTPRequestHead, conn: Int) -> SessionState? {
    let (fields, place) = (request.fields, conn & (SessionTable.places - 1))
    if let known = carried[place], let key = known.wireKey, let authority = known.line.authority,
      let path = known.line.path, ByteScan.isEqual(key.utf8Span.span, fields.value(field)),
      request.path == path
    {
      if let host = fields.firstIndex(.host) {
        if ByteScan.isEqual(authority.utf8Span.span, fields.value(host)) { return known }
      } else if authority.isEmpty {
        return known
      }
    }
    let found = session(
      id: fields[field].value, authority: fields.first(.host) ?? "", path: String(request.path))
    carried[place] = found
    return found
  }

  /// The session whose `endpoint` event named this target.
  func session(endpoint: String, authority: String) -> SessionState? {
    endpoints[ExplicitKey(authority: authority, path: "", value: endpoint)]
  }

  /// Creates a session with an explicit key.
  func create(
    id: String, surrogate: String, authority: String, path: String, start: SessionLine.Start,
    t: Int64
  ) -> SessionState {
    let key = SessionKey(
      by: .mcpSessionID, value: surrogate, evidence: ["mcp-session-id"], confidence: 1)
    let session = make(.streamableHTTP, authority, path, key: key, wireKey: id, start, t)
    explicit[ExplicitKey(authority: authority, path: path, value: id)] = session
    return session
  }

  /// Creates a session of the HTTP+SSE transport; `endpoint` is where its messages are POSTed.
  func create(
    endpoint: String, surrogate: String, authority: String, path: String, t: Int64
  ) -> SessionState {
    let key = SessionKey(
      by: .sseEndpoint, value: surrogate, evidence: ["endpoint-event"], confidence: 1)
    let session = make(.httpSSE, authority, path, key: key, wireKey: endpoint, .seen, t)
    endpoints[ExplicitKey(authority: authority, path: "", value: endpoint)] = session
    return session
  }

  /// The session of an agent.
  func session(of chain: AgentChain) -> SessionState? { inferred[chain.number] }

  /// Creates a session that only inference knows.
  func create(
    of agent: AgentInference.Agent, key: SessionKey, start: SessionLine.Start, t: Int64
  ) -> SessionState {
    let session = make(
      .streamableHTTP, agent.peer.authority, agent.peer.path, key: key, wireKey: nil, start,
      t)
    session.agent = agent
    inferred[agent.chain.number] = session
    return session
  }

  /// The session of a stdio server by its connection.
  func session(process conn: Int) -> SessionState? { processes[conn] }

  /// Creates the session of a stdio server.
  func create(process conn: Int, t: Int64) -> SessionState {
    let key = SessionKey(by: .stdio, value: nil, evidence: ["stdio"], confidence: 1)
    let session = make(.stdio, nil, nil, key: key, wireKey: nil, .seen, t)
    processes[conn] = session
    return session
  }

  private func make(
    _ transport: SessionLine.Transport, _ authority: String?, _ path: String?, key: SessionKey,
    wireKey: String?, _ start: SessionLine.Start, _ t: Int64
  ) -> SessionState {
    created += 1
    var line = SessionLine(session: "s\(created)", t: t, transport: transport)
    line.authority = authority
    line.path = path
    line.key = key
    line.start = start
    let session = SessionState(
      name: line.session, line: line, wireKey: wireKey, siblingGap: siblingGap)
    all.append(session)
    return session
  }

  /// Forgets sessions that ended long ago.
  func remove(_ sessions: [SessionState]) {
    let gone = Set(sessions.map(ObjectIdentifier.init))
    all.removeAll { gone.contains(ObjectIdentifier($0)) }
    for session in sessions { forgetKeys(of: session) }
    carried = Array(repeating: nil, count: SessionTable.places)
  }

  private func forgetKeys(of session: SessionState) {
    if let chain = session.agent?.chain { inferred[chain.number] = nil }
    if session.line.transport == .stdio {
      for conn in session.conns { processes[conn] = nil }
    }
    if let key = session.wireKey {
      let (authority, path) = (session.line.authority ?? "", session.line.path ?? "")
      explicit[ExplicitKey(authority: authority, path: path, value: key)] = nil
      endpoints[ExplicitKey(authority: authority, path: "", value: key)] = nil
    }
  }
}
