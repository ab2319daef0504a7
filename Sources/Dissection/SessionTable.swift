import Basics
import MCP
import Trace

/// Where and by whom a message without a session id was sent: what an inference has to go on.
struct ClientFacts: Hashable {
  var authority: String
  var path: String
  var host: String
  var credential: String?
  var client: Implementation?
  var isModern: Bool
}

/// Finds the session of an exchange: by the explicit key where the protocol has one, by inference where it has none.
///
/// This is the one place that decides identity (the policy). Explicit: `Mcp-Session-Id` within (authority, path), the URL of an
/// `endpoint` event. Inferred (stateless servers, revision 2026-07-28): an echoed `requestState`; else the sessions of equal
/// (endpoint, credential, client info, client address) whose id chain the message continues, then whose connection it came on.
final class SessionTable {
  private struct ExplicitKey: Hashable {
    var authority: String
    var path: String
    var value: String
  }

  /// What does not change while a client lives; its client info may be said once only.
  private struct Peer: Hashable {
    var authority: String
    var path: String
    var host: String
    var credential: String?

    init(_ facts: ClientFacts) {
      authority = facts.authority
      path = facts.path
      host = facts.host
      credential = facts.credential
    }
  }

  /// Sessions known at once; more than any server that was seen has, and some 2 KiB each.
  static let limit = 16_384

  private(set) var all: [SessionState] = []
  private var explicit: [ExplicitKey: SessionState] = [:]
  private var endpoints: [ExplicitKey: SessionState] = [:]
  private var inferred: [Peer: [SessionState]] = [:]
  private var created = 0
  private let siblingGap: Int64

  init(siblingGap: Int64) { self.siblingGap = siblingGap }

  /// The session of a session id.
  func session(id: String, authority: String, path: String) -> SessionState? {
    explicit[ExplicitKey(authority: authority, path: path, value: id)]
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

  /// Creates a session that only inference knows.
  func create(inferredFrom facts: ClientFacts, start: SessionLine.Start, t: Int64) -> SessionState {
    var evidence: [String] = []
    var by = SessionKey.By.idChain
    if facts.client != nil, facts.isModern {
      by = .clientInfo
      evidence.append("client-info")
    }
    if facts.credential != nil {
      by = .credential
      evidence.insert("credential", at: 0)
    }
    evidence.append("id-chain")
    // Alone on its evidence so far; `confidence(of:)` lowers it when others share it.
    let key = SessionKey(by: by, value: nil, evidence: evidence, confidence: 0.9)
    let session = make(
      .streamableHTTP, facts.authority, facts.path, key: key, wireKey: nil, start, t)
    session.facts = facts
    inferred[Peer(facts), default: []].append(session)
    return session
  }

  private func make(
    _ transport: SessionLine.Transport, _ authority: String, _ path: String, key: SessionKey,
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

  /// The inferred session that a message continues, if any.
  ///
  /// `id` is the request's id when it is an integer; `conn` the connection it came on.
  func infer(_ facts: ClientFacts, id: Int64?, requestState: String?, conn: Int) -> SessionState? {
    let group = Array(candidates(facts))
    if let requestState,
      let session = group.first(where: { $0.requestStates[requestState] != nil })
    {
      return session
    }
    guard let id else { return latest(group, conn) }
    let fits = group.compactMap { session in session.chain.fit(id).map { (session, $0) } }
    guard let best = fits.map(\.1).min() else { return nil }
    let equal = fits.filter { $0.1 == best }.map(\.0)
    if equal.count == 1 { return equal.first }
    // Several expect this id: one whose last answer came, on the same connection, silent longest.
    let idle = equal.filter { $0.openRequests(.c2s).isEmpty }
    let pool = idle.isEmpty ? equal : idle
    if let same = pool.first(where: { $0.conns.contains(conn) }) { return same }
    return pool.min { $0.lastActivity < $1.lastActivity }
  }

  /// Sessions that share the evidence. A modern client names itself each time; a legacy one in `initialize` only, so its info
  /// can't be asked for later.
  private func candidates(_ facts: ClientFacts) -> some Sequence<SessionState> {
    (inferred[Peer(facts)] ?? []).lazy.filter { session in
      facts.client == nil || session.facts?.client == facts.client
        || (!facts.isModern && session.facts?.client == nil)
    }
  }

  private func latest(_ group: [SessionState], _ conn: Int) -> SessionState? {
    let same = group.filter { $0.conns.contains(conn) }
    return (same.isEmpty ? group : same).max { $0.lastActivity < $1.lastActivity }
  }

  /// How sure a session is, now that all that share its evidence are known.
  func confidence(of session: SessionState) -> Double {
    guard let facts = session.facts else { return 1 }
    return Array(candidates(facts).prefix(2)).count == 1 ? 0.9 : 0.6
  }

  /// Forgets sessions that ended long ago.
  func remove(_ sessions: [SessionState]) {
    let gone = Set(sessions.map(ObjectIdentifier.init))
    all.removeAll { gone.contains(ObjectIdentifier($0)) }
    for session in sessions { forgetKeys(of: session) }
    for peer in Set(sessions.compactMap { $0.facts.map(Peer.init) }) {
      let rest = (inferred[peer] ?? []).filter { !gone.contains(ObjectIdentifier($0)) }
      inferred[peer] = rest.isEmpty ? nil : rest
    }
  }

  private func forgetKeys(of session: SessionState) {
    if let key = session.wireKey {
      let (authority, path) = (session.line.authority ?? "", session.line.path ?? "")
      explicit[ExplicitKey(authority: authority, path: path, value: key)] = nil
      endpoints[ExplicitKey(authority: authority, path: "", value: key)] = nil
    }
  }
}
