import Basics
import MCP
import NIOCore
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
  private let memo: RedactionMemo?
  /// The lines that belong to no session.
  let nobody: SessionState
  /// Lines written and not yet taken.
  var lines: [TraceEvent] = []

  struct RefusalKey: Hashable {
    var authority: String
    var host: String
    var id: MessageToken
  }

  /// Requests that a 401 refused, until they are repeated.
  var refused: [RefusalKey: Int] = [:]

  /// An SDK lists tools by itself right behind the answer to a call of an unlisted tool (mcp 1.30, 2.3).
  static let automaticListGap: Int64 = 50_000_000

  /// How much later than its answer a request may be captured; a client that uses an id again takes longer.
  static let disorder: Int64 = 1_000_000_000
  /// How long an answer on a stream waits for a request that is told late: as long as a hole is waited for at most.
  static let earlyWait: Int64 = 60_000_000_000

  init(t0: Timestamp, options: DissectionOptions, ledger: LossLedger) {
    self.t0 = t0
    self.options = options
    self.ledger = ledger
    table = SessionTable(siblingGap: options.siblingGap)
    memo = options.redactor.map { RedactionMemo($0) }
    nobody = SessionState(
      name: nil, line: SessionLine(session: "", t: 0, transport: .streamableHTTP), wireKey: nil,
      siblingGap: options.siblingGap)
  }

  /// Takes the next step of an exchange.
  func take(_ step: ExchangeStep) {
    switch step {
    case .requested(let exchange): requested(exchange)
    case .switched(let exchange, let head): switched(exchange, head)
    case .answered(let exchange): answered(exchange)
    case .event(let exchange, let event): streamed(exchange, event)
    case .ended(let exchange, let by): ended(exchange, by: by)
    }
  }

  func write(_ event: TraceEvent, of exchange: HTTPExchange) {
    switch event {
    case .request(let line) where line.dir == .c2s: exchange.mcp.isShown = true
    case .notification(let line) where line.dir == .c2s: exchange.mcp.isShown = true
    case .response(let line) where line.dir == .c2s: exchange.mcp.isShown = true
    case .http: exchange.mcp.isShown = true
    default: break
    }
    lines.append(event)
  }

  func time(_ at: Timestamp) -> Int64 { at - t0 }

  // MARK: Which session

  private func requested(_ exchange: HTTPExchange) {
    exchange.mcp = MCPExchange.of(exchange)
    noteOthers(exchange.mcp.others, of: exchange, at: exchange.sentAt ?? exchange.startedAt)
    if exchange.mcp.role == .auth { return }
    let authority = authority(exchange)
    if let id = exchange.requestHeader("mcp-session-id") {
      if let session = table.session(id: id, authority: authority, path: exchange.path) {
        exchange.mcp.namesKnownSession = true
        bind(exchange, to: session)
      }
    } else if exchange.mcp.role != .other,
      let session = table.session(
        endpoint: exchange.request?.target ?? "", authority: authority)
    {
      bind(exchange, to: session)
    } else if exchange.mcp.role == .messages, !opensSession(exchange),
      let session = infer(exchange)
    {
      bind(exchange, to: session)
    }
  }

  private func answered(_ exchange: HTTPExchange) {
    guard let response = exchange.response else { return }
    if exchange.mcp.session == nil, (200..<300).contains(response.status) {
      switch exchange.mcp.role {
      case .messages where isProbe(exchange) || isUndecided(exchange, response): break
      case .messages, .delete: bind(exchange, to: agreed(exchange, response))
      case .stream:
        // Without an id the first event may tell (HTTP+SSE); with one, the server knows the session.
        if exchange.requestHeader("mcp-session-id") != nil {
          bind(exchange, to: agreed(exchange, response))
        }
      case .auth, .other: break
      }
    }
    if exchange.mcp.role == .stream, exchange.sse != nil, exchange.mcp.session != nil {
      openStream(exchange)
    }
  }

  /// The session that a 2xx answer brings about.
  private func agreed(_ exchange: HTTPExchange, _ response: HTTPResponseHead) -> SessionState {
    let authority = authority(exchange)
    let t = time(exchange.startedAt)
    let minted = response.fields.first("mcp-session-id")
    let opens = opensSession(exchange)
    let session: SessionState
    if let id = exchange.requestHeader("mcp-session-id") {
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
    } else if let found = opens ? nil : infer(exchange) {
      session = found
    } else {
      session = table.create(
        inferredFrom: facts(exchange), start: startsChain(exchange) ? .seen : .cut, t: t)
    }
    return session
  }

  /// True for a lone `server/discover`: only its answer tells whether a session follows or an `initialize`.
  private func isProbe(_ exchange: HTTPExchange) -> Bool {
    exchange.mcp.messages.count == 1 && exchange.mcp.messages[0].message.method == Method.discover
      && exchange.requestHeader("mcp-session-id") == nil
  }

  /// True for an `initialize` whose answer names no session: only its result begins one.
  private func isUndecided(_ exchange: HTTPExchange, _ response: HTTPResponseHead) -> Bool {
    opensSession(exchange) && exchange.requestHeader("mcp-session-id") == nil
      && response.fields.first("mcp-session-id") == nil
  }

  /// Decides the session of what is still without one, now that the server's first message is there (or none came).
  func settle(_ exchange: HTTPExchange, _ first: JSONRPCMessage?) {
    guard exchange.mcp.session == nil else { return }
    if let response = exchange.response, (200..<300).contains(response.status),
      first?.kind == .result, let result = first?.content,
      isProbe(exchange) ? ResultFacts(result).offersStateless : opensSession(exchange)
    {
      bind(exchange, to: agreed(exchange, response))
    } else if exchange.mcp.role == .stream {
      bind(exchange, to: infer(exchange) ?? nobody)
    } else {
      bind(exchange, to: nobody)
    }
  }

  private func opensSession(_ exchange: HTTPExchange) -> Bool {
    exchange.mcp.messages.contains { $0.message.method == Method.initialize }
  }

  /// A session without handshake begins with a probe or with the first ids that SDKs give out (0, 1).
  private func startsChain(_ exchange: HTTPExchange) -> Bool {
    exchange.mcp.messages.contains { item in
      item.message.method == Method.initialize || item.message.method == Method.discover
        || ["0", "1"].contains(item.message.id?.text ?? "")
    }
  }

  func infer(_ exchange: HTTPExchange) -> SessionState? {
    let requests = exchange.mcp.messages.filter { $0.message.kind == .request }
    let id = requests.first?.message.id.flatMap { Int64($0.text) }
    return table.infer(
      facts(exchange), id: id,
      requestState: requests.first?.facts.requestState, conn: exchange.conn.number)
  }

  private func facts(_ exchange: HTTPExchange) -> ClientFacts {
    let message = exchange.mcp.messages.first?.facts
    let named = exchange.requestHeader("mcp-protocol-version").map(Revision.init)
    let isModern = named?.isStateless == true || message?.revision?.isStateless == true
    let credentials = ["authorization", "cookie", "x-api-key"].compactMap {
      exchange.requestHeader($0)
    }
    return ClientFacts(
      authority: authority(exchange), path: exchange.path, host: exchange.clientHost,
      credential: credentials.isEmpty ? nil : credentials.joined(separator: "\n"),
      client: message?.client, isModern: isModern)
  }

  func authority(_ exchange: HTTPExchange) -> String { exchange.requestHeader("host") ?? "" }

  func surrogate(_ value: String) -> String { options.redactor?.surrogate(value) ?? value }

  func redacted(_ fields: HeaderFields?) -> HeaderFields? {
    guard let fields else { return nil }
    return memo?.fields(fields) ?? fields
  }

  /// The target as it may be shown: where it is the key of a session, as that key's surrogate.
  func shownTarget(_ exchange: HTTPExchange) -> String {
    let target = exchange.request?.target ?? ""
    if let session = exchange.mcp.session, session.wireKey == target {
      return session.line.key?.value ?? ""
    }
    return options.redactor?.target(target) ?? target
  }

  /// Decides the session of an exchange: numbers and writes what the client said in it.
  func bind(_ exchange: HTTPExchange, to session: SessionState) {
    exchange.mcp.session = session
    if session !== nobody {
      session.openExchanges += 1
      session.carried(by: exchange.conn.number)
      session.lastActivity = max(session.lastActivity, time(exchange.startedAt))
      learn(session, exchange)
    }
    for position in exchange.mcp.messages.indices {
      said(exchange, position, session)
    }
    switch exchange.mcp.role {
    case .delete: noteLater(exchange, .delete, session)
    case .other: noteLater(exchange, .other, session)
    case .stream: exchange.mcp.streamPlace = place(exchange, session)
    case .messages, .auth: break
    }
  }

  /// Writes the session's line when a message of the client tells something new of it.
  private func learn(_ session: SessionState, _ exchange: HTTPExchange) {
    var isNew = !session.isAnnounced
    for item in exchange.mcp.messages {
      if session.line.client == nil, let client = item.facts.client {
        session.line.client = client
        isNew = true
      }
      if session.line.revision == nil, let revision = item.facts.revision, revision.isStateless {
        session.line.revision = revision.description
        isNew = true
      }
      if let id = item.message.id.flatMap({ Int64($0.text) }), item.message.kind == .request {
        session.chain.take(id)
      }
    }
    if session.line.revision == nil, let named = exchange.requestHeader("mcp-protocol-version") {
      session.line.revision = named
      isNew = true
    }
    if isNew { announce(session) }
  }

  func announce(_ session: SessionState) {
    session.isAnnounced = true
    lines.append(.session(session.line))
  }
}
