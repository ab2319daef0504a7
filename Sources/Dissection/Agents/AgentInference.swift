import Basics
import MCP
import Trace
import Wire

/// Tells the agents apart that name no session: gathers what their exchanges tell and asks a solver.
///
/// What no agent changes divides them first: endpoint, client address, credential, the kind of client (`User-Agent` and which headers
/// it sends in which order), and for revision 2026-07-28 what the client says of itself each time. Each such peer has a solver.
final class AgentInference {
  /// What no agent changes while it runs.
  struct Peer: Hashable {
    var authority: String
    var path: String
    var host: String
    /// Who is authorised: of a JWT issuer, subject and client, so that a fresh token is the same.
    var credential: String?
    /// Names of header fields and the `User-Agent`.
    var kind: UInt64
    var client: Implementation?
    /// What the user said that it is to be known by; all else is left out then.
    var said: String?
  }

  private let sessionKey: SessionKey.By?

  /// Creates an inference; `sessionKey` is what the user wants agents to be told apart by.
  init(sessionKey: SessionKey.By?) { self.sessionKey = sessionKey }

  /// Agents that one credential or one client name stands for.
  private struct Users {
    private var latest: Int?
    private var earlier: Set<Int> = []
    /// True once two agents used it in turns.
    private(set) var areSeveral = false

    mutating func add(_ chain: Int) {
      guard latest != chain, !areSeveral else { return }
      if earlier.contains(chain) {
        areSeveral = true
        earlier = []
      } else if let latest {
        earlier.insert(latest)
      }
      latest = chain
    }
  }

  private var solvers: [Peer: ChainSolver] = [:]
  private var credentials: [String: Users] = [:]
  private var clients: [Implementation: Users] = [:]
  /// Credentials and client names whose users are known.
  private static let usersLimit = 65_536
  private var chainCount = 0

  /// Assigns the request of an exchange to an agent, or begins one.
  func request(_ exchange: MCPExchange, _ content: RequestContent, at t: Int64) {
    let peer = peer(exchange, content)
    let solver =
      solvers[peer]
      ?? ChainSolver(isOneAgent: peer.said != nil) { [unowned self] in
        chainCount += 1
        return chainCount
      }
    solvers[peer] = solver
    exchange.agent = Assignment(solver: solver, peer: peer)
    solver.add(evidence(exchange, content, at: t))
    guard let chain = solver.chain(of: exchange.x) else { return }
    if credentials.count > AgentInference.usersLimit { credentials = [:] }
    if clients.count > AgentInference.usersLimit { clients = [:] }
    if let credential = peer.credential {
      credentials[credential, default: Users()].add(chain.number)
    }
    if let client = peer.client { clients[client, default: Users()].add(chain.number) }
  }

  /// What a session is known by, as far as it can be told by now.
  ///
  /// A credential that forms more than one chain of ids at once is a gateway's, and tells no agent; so does a client's name.
  func key(of agent: Agent) -> SessionKey {
    let (grounds, peer) = (agent.chain.grounds, agent.peer)
    var evidence: [SessionKey.By] = []
    if let sessionKey, peer.said != nil {
      return SessionKey(
        by: sessionKey, value: nil, evidence: [sessionKey.rawValue, "--session-key"], confidence: 1)
    }
    if grounds.contains(.requestState) { evidence.append(.requestState) }
    if grounds.contains(.task) { evidence.append(.task) }
    if grounds.contains(.traceContext) { evidence.append(.traceContext) }
    if let credential = peer.credential, credentials[credential]?.areSeveral == false {
      evidence.append(.credential)
    }
    if let client = peer.client, clients[client]?.areSeveral == false {
      evidence.append(.clientInfo)
    }
    if grounds.contains(.idChain) { evidence.append(.idChain) }
    if grounds.contains(.dataFlow) { evidence.append(.dataFlow) }
    if grounds.contains(.connection) { evidence.append(.connection) }
    let others = grounds.contains(.time) ? ["time"] : []
    let confidence = 0.97 * agent.solver.confidence(of: agent.chain)
    return SessionKey(
      by: evidence.first ?? .idChain, value: nil, evidence: evidence.map(\.rawValue) + others,
      confidence: (confidence * 100).rounded() / 100)
  }

  /// Takes a message of the server that answers it.
  func answer(
    _ exchange: MCPExchange, _ message: JSONRPCMessage?, to method: String, at t: Int64
  ) {
    guard let solver = exchange.agent?.solver else { return }
    var answer = AnswerEvidence(done: t)
    if let message, message.kind == .result, let result = message.content {
      answer.read(result, of: method, isStructured: message.isStructured)
    }
    solver.answer(exchange.x, answer)
  }

  /// Forgets an exchange that was no agent's.
  func drop(_ exchange: MCPExchange) {
    guard let agent = exchange.agent else { return }
    agent.solver.drop(exchange.x)
    if agent.solver.chains.isEmpty { solvers[agent.peer] = nil }
  }

  /// Forgets an agent whose session is over.
  func remove(_ session: SessionState) {
    guard let agent = session.agent else { return }
    agent.solver.remove(agent.chain)
    if agent.solver.chains.isEmpty { solvers[agent.peer] = nil }
  }

  private func peer(_ exchange: MCPExchange, _ content: RequestContent) -> Peer {
    let facts = content.messages.first?.facts
    let named = exchange.requestHeader(.mcpProtocolVersion).map(Revision.init)
    let isModern = named?.isStateless == true || facts?.revision?.isStateless == true
    if let said = said(exchange, facts) {
      return Peer(
        authority: exchange.requestHeader(.host) ?? "", path: exchange.path, host: "", kind: 0,
        said: said)
    }
    return Peer(
      authority: exchange.requestHeader(.host) ?? "", path: exchange.path,
      host: exchange.clientHost, credential: Principal.credential(of: exchange),
      kind: AgentInference.kind(exchange), client: isModern ? facts?.client : nil)
  }

  /// What the user wants this exchange's agent to be known by; `nil` where it has none of that.
  private func said(_ exchange: MCPExchange, _ facts: MessageFacts?) -> String? {
    switch sessionKey {
    case .credential: Principal.credential(of: exchange)
    case .connection: String(exchange.conn)
    case .clientInfo: facts?.client.map { "\($0.name)\n\($0.version)" }
    case .traceContext: exchange.requestHeader(.traceparent) ?? facts?.traceparent
    default: nil
    }
  }

  /// The kind of client: HTTP/2 libraries shuffle their fields, those of HTTP/1 do not.
  private static func kind(_ exchange: MCPExchange) -> UInt64 {
    guard let fields = exchange.request?.fields else { return 0 }
    var names: [UInt64] = []
    var agent: UInt64 = 0
    for field in fields {
      let name = field.name.lowercased()
      if name == "user-agent" { agent = ByteScan.hash(field.value.utf8Span.span) }
      if isSteady(name) { names.append(ByteScan.hash(field.name.utf8Span.span)) }
    }
    if exchange.stream != nil { names.sort() }
    return names.reduce(agent) { $0 &* 0x9e37_79b9_7f4a_7c15 ^ $1 }
  }

  /// Whether a client sends a field always or never, whatever it asks.
  private static func isSteady(_ name: String) -> Bool {
    switch name {
    case "accept", "accept-encoding", "accept-language", "connection", "host", "user-agent",
      "content-type", "content-length", "sec-fetch-mode":
      true
    default: false
    }
  }

  private func evidence(
    _ exchange: MCPExchange, _ content: RequestContent, at t: Int64
  ) -> ChainEvidence {
    let first = content.messages.first { $0.message.kind == .request } ?? content.messages.first
    let kind: ChainEvidence.Kind
    if content.role == .stream {
      kind = .stream
    } else if let message = first?.message, message.kind == .request {
      let id = message.id.flatMap { Int64($0.text) }
      let begins = message.method == Method.initialize || message.method == Method.discover
      kind = begins ? .beginning(id: id) : .request(id: id)
    } else {
      kind = .notification(
        isInitialized: first?.message.method == "notifications/initialized",
        cancels: first?.facts.cancels.flatMap { Int64($0.text) })
    }
    var evidence = ChainEvidence(x: exchange.x, t: t, conn: exchange.conn, kind: kind)
    let trace = exchange.requestHeader(.traceparent) ?? first?.facts.traceparent
    // `00-<trace id>-<parent id>-<flags>`
    if let id = trace?.split(separator: "-").dropFirst().first {
      evidence.trace = ByteScan.hash(id.utf8Span.span)
    }
    evidence.isCall = first?.message.method == Method.toolsCall
    for item in content.messages {
      if let params = item.message.content { evidence.read(params) }
    }
    return evidence
  }
}

extension AgentInference {
  /// Which solver knows an exchange's agent.
  struct Assignment {
    var solver: ChainSolver
    var peer: Peer
  }

  /// The agent of a session.
  struct Agent {
    var solver: ChainSolver
    var chain: AgentChain
    var peer: Peer
  }
}
