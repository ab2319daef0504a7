import Basics
import MCP
import NIOCore
import Redaction
import Trace
import Wire

/// Turns HTTP exchanges into sessions and messages: the MCP half of the pipeline.
///
/// Theory: the unit is the exchange, not the connection. An exchange is bound to its session as soon as that is known: at once where
/// the request names it (or inference finds it), else when the response's status shows that the server agreed. Binding
/// numbers the client's messages and writes the request lines; answers are paired by exchange first, then by (session, direction,
/// id token). What waits for the end of the exchange (a notification's status) is deferred to it.
///
/// Three kinds of wrong: an answer nobody asked for is counted (`jsonrpc.unmatched_response`); a request whose session never came
/// about belongs to none; steps of an exchange out of order are our bug.
final class Conversation {
  let t0: Timestamp
  let options: DissectionOptions
  let ledger: LossLedger
  let table: SessionTable
  let agents: AgentInference
  /// Sessions of one agent's run.
  var runs = AgentRuns()
  let shownFields: ShownFields
  /// Follows the rules for payloads; `nil` without any.
  let payloadRedactor: PayloadRedactor?
  /// Replaces credentials where they stand beside payloads.
  let credentialRedactor: PayloadRedactor?
  /// The lines that belong to no session.
  let nobody: SessionState
  /// Lines written and not yet taken.
  let lines: TraceLines

  struct RefusalKey: Hashable {
    var authority: String
    var host: String
    var id: MessageToken
  }

  /// Requests that a 401 refused, until they are repeated.
  var refused: [RefusalKey: Int] = [:]

  /// Memory of all sessions' values, bytes.
  var valuesSize = 0

  /// An SDK lists tools by itself right behind the answer to a call of an unlisted tool (mcp 1.30, 2.3).
  static let automaticListGap: Int64 = 50_000_000

  /// How much later than its answer a request may be captured; a client that uses an id again takes longer.
  static let disorder: Int64 = 1_000_000_000
  /// How long an answer on a stream waits for a request that is told late: as long as a hole is waited for at most.
  static let earlyWait: Int64 = 60_000_000_000

  init(t0: Timestamp, options: DissectionOptions, ledger: LossLedger, lines: TraceLines) {
    self.t0 = t0
    self.options = options
    self.ledger = ledger
    self.lines = lines
    agents = AgentInference(sessionKey: options.sessionKey)
    table = SessionTable(siblingGap: options.siblingGap)
    shownFields = ShownFields(options.redactor)
    payloadRedactor = options.payloadRules.map { PayloadRedactor($0) }
    credentialRedactor = options.redactor.map { PayloadRedactor(credentialsOf: $0.key) }
    nobody = SessionState(
      name: nil, line: SessionLine(session: "", t: 0, transport: .streamableHTTP), wireKey: nil,
      siblingGap: options.siblingGap)
  }

  func write(_ line: RequestLine, of exchange: MCPExchange) {
    if line.dir == .c2s { exchange.isShown = true }
    lines.append(line)
  }

  func write(_ line: NotificationLine, of exchange: MCPExchange) {
    if line.dir == .c2s { exchange.isShown = true }
    lines.append(line)
  }

  func write(_ line: ResponseLine, of exchange: MCPExchange) {
    if line.dir == .c2s { exchange.isShown = true }
    lines.append(line)
  }

  func write(_ line: HTTPLine, of exchange: MCPExchange) {
    exchange.isShown = true
    lines.append(line)
  }

  func time(_ at: Timestamp) -> Int64 { at - t0 }

  // MARK: Which session

  /// The request of an exchange is over.
  func requested(_ exchange: MCPExchange, _ content: RequestContent, sentAt: Timestamp) {
    exchange.content = content
    exchange.sentAt = sentAt
    if payloadRedactor != nil { remember(credentialsIn: exchange.request?.fields) }
    noteOthers(content.others, of: exchange, at: sentAt)
    if exchange.role == .auth { return }
    if let request = exchange.request, let id = request.fields.firstIndex(.mcpSessionID) {
      if let session = table.session(id: id, of: request, conn: exchange.conn) {
        exchange.namesKnownSession = true
        bind(exchange, to: session)
      }
    } else if exchange.role != .other,
      let session = table.session(
        endpoint: exchange.request?.target ?? "", authority: authority(exchange))
    {
      bind(exchange, to: session)
    } else if !opensSession(exchange), let session = known(exchange) {
      bind(exchange, to: session)
    }
  }

  /// The final response of an exchange begins.
  func answered(_ exchange: MCPExchange, _ answered: AnsweredExchange) {
    let response = answered.head
    exchange.respond(answered)
    if payloadRedactor != nil { remember(credentialsIn: response.fields) }
    if exchange.session == nil && !(200..<300).contains(response.status)
      || response.status == 401
      || (opensSession(exchange) && response.fields.has(.mcpSessionID))
    {
      agents.drop(exchange)
    }
    if exchange.session == nil, (200..<300).contains(response.status) {
      switch exchange.role {
      case .messages where isProbe(exchange) || isUndecided(exchange, response): break
      case .messages, .delete: bind(exchange, to: agreed(exchange, response))
      case .stream:
        // Without an id the first event may tell (HTTP+SSE); with one, the server knows the session.
        if exchange.hasRequestHeader(.mcpSessionID) {
          bind(exchange, to: agreed(exchange, response))
        }
      case .auth, .other: break
      }
    }
    if exchange.role == .stream, exchange.isEventStream, exchange.session != nil {
      openStream(exchange)
    }
  }

  /// The session that a 2xx answer brings about.
  private func agreed(_ exchange: MCPExchange, _ response: HTTPResponseHead) -> SessionState {
    let authority = authority(exchange)
    let t = time(exchange.startedAt)
    let minted = response.fields.first(.mcpSessionID)
    let opens = opensSession(exchange)
    let session: SessionState
    if let id = exchange.requestHeader(.mcpSessionID) {
      session =
        table.session(id: id, authority: authority, path: exchange.path)
        ?? table.create(
          id: id, surrogate: surrogate(id), authority: authority, path: exchange.path,
          start: opens ? .seen : .cut, t: t)
    } else if opens, let minted {
      session =
        table.session(id: minted, authority: authority, path: exchange.path)
        ?? table.create(
          id: minted, surrogate: surrogate(minted), authority: authority, path: exchange.path,
          start: .seen, t: t)
    } else {
      session =
        known(exchange) ?? agent(exchange).map { agent in
          table.create(
            of: agent, key: agents.key(of: agent), start: startsChain(exchange) ? .seen : .cut, t: t
          )
        } ?? nobody
    }
    return session
  }

  /// True for a lone `server/discover`: only its answer tells whether a session follows or an `initialize`.
  private func isProbe(_ exchange: MCPExchange) -> Bool {
    exchange.content.messages.count == 1
      && exchange.content.messages[0].message.method == Method.discover
      && !exchange.hasRequestHeader(.mcpSessionID)
  }

  /// True for an `initialize` whose answer names no session: only its result begins one.
  private func isUndecided(_ exchange: MCPExchange, _ response: HTTPResponseHead) -> Bool {
    opensSession(exchange) && !exchange.hasRequestHeader(.mcpSessionID)
      && !response.fields.has(.mcpSessionID)
  }

  /// Decides the session of what is still without one, now that the server's first message is there (or none came).
  func settle(_ exchange: MCPExchange, _ first: JSONRPCMessage?) {
    guard exchange.session == nil else { return }
    if let response = exchange.response, (200..<300).contains(response.status),
      let first, first.kind == .result,
      isProbe(exchange) ? ResultFacts(first).offersStateless : opensSession(exchange)
    {
      bind(exchange, to: agreed(exchange, response))
    } else if exchange.role == .stream {
      agents.request(exchange, exchange.content, at: time(exchange.startedAt))
      bind(exchange, to: known(exchange) ?? nobody)
    } else {
      bind(exchange, to: nobody)
    }
  }

  private func opensSession(_ exchange: MCPExchange) -> Bool {
    exchange.content.messages.contains { $0.message.method == Method.initialize }
  }

  /// A session without handshake begins with a probe or with the first ids that SDKs give out (0, 1).
  private func startsChain(_ exchange: MCPExchange) -> Bool {
    exchange.content.messages.contains { item in
      item.message.method == Method.initialize || item.message.method == Method.discover
        || ["0", "1"].contains(item.message.id?.text ?? "")
    }
  }

  /// Whether nothing but inference tells whose messages these are.
  func isStateless(_ exchange: MCPExchange, _ content: RequestContent) -> Bool {
    content.role == .messages && !exchange.hasRequestHeader(.mcpSessionID)
      && table.session(
        endpoint: exchange.request?.target ?? "", authority: authority(exchange)) == nil
  }

  /// The agent that an exchange was assigned to.
  private func agent(_ exchange: MCPExchange) -> AgentInference.Agent? {
    guard let assignment = exchange.agent,
      let chain = assignment.solver.chain(of: exchange.x)
    else { return nil }
    return AgentInference.Agent(
      solver: assignment.solver, chain: chain, peer: assignment.peer)
  }

  /// The session of the agent that an exchange was assigned to.
  private func known(_ exchange: MCPExchange) -> SessionState? {
    agent(exchange).flatMap { table.session(of: $0.chain) }
  }

  func authority(_ exchange: MCPExchange) -> String { exchange.requestHeader(.host) ?? "" }

  func surrogate(_ value: String) -> String { options.redactor?.surrogate(value) ?? value }

  /// Decides the session of an exchange: numbers and writes what the client said in it.
  func bind(_ exchange: MCPExchange, to session: SessionState) {
    exchange.session = session
    // It was no agent's that names no session: its chain would wait for more of it.
    if session.agent == nil { agents.drop(exchange) }
    if session !== nobody {
      session.openExchanges += 1
      session.carried(by: exchange.conn)
      session.lastActivity = max(session.lastActivity, time(exchange.startedAt))
      learn(session, exchange)
    }
    for position in exchange.content.messages.indices {
      said(exchange, position, session)
    }
    switch exchange.role {
    case .delete: noteLater(exchange, .delete, session)
    case .other: noteLater(exchange, .other, session)
    case .stream: exchange.streamPlace = place(exchange, session)
    case .messages, .auth: break
    }
  }

  /// Writes the session's line when a message of the client tells something new of it.
  private func learn(_ session: SessionState, _ exchange: MCPExchange) {
    if session.isIntroduced { return }
    var isNew = !session.isAnnounced
    for item in exchange.content.messages {
      if session.line.client == nil, let client = item.facts.client {
        session.line.client = client
        isNew = true
      }
      if session.line.revision == nil, let revision = item.facts.revision, revision.isStateless {
        session.line.revision = revision.description
        isNew = true
      }
    }
    if session.line.revision == nil, let named = exchange.requestHeader(.mcpProtocolVersion) {
      session.line.revision = named
      isNew = true
    }
    if !session.isKnown {
      session.isKnown = true
      introduce(session, exchange)
      isNew = true
    }
    if isNew { announce(session) }
    session.isIntroduced = session.line.client != nil && session.line.revision != nil
  }

  func announce(_ session: SessionState) {
    session.isAnnounced = true
    if let agent = session.agent { session.line.key = agents.key(of: agent) }
    lines.append(shown(session.line))
  }
}
