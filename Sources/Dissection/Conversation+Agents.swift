import Basics
import MCP
import Trace
import Wire

/// What exchanges without a session tell before it is clear whose they are.
extension Conversation {
  /// Assigns an exchange to an agent, or begins one.
  func assign(_ exchange: MCPExchange, _ content: RequestContent) {
    exchange.asks = content.messages.first { $0.message.kind == .request }?.message.method ?? ""
    agents.request(exchange, content, at: time(exchange.startedAt))
  }

  /// Whether the answer to an `initialize` gives it a session id: then it is no agent's that names no session.
  func namesSession(_ exchange: MCPExchange, _ answered: AnsweredExchange) -> Bool {
    exchange.agent != nil && exchange.asks == Method.initialize
      && answered.head.fields.has(.mcpSessionID)
  }

  /// An event of the answer's stream.
  func hears(_ exchange: MCPExchange, _ heard: HeardEvent) {
    guard exchange.agent != nil, let payload = heard.payload else { return }
    hears(exchange, payload, at: heard.event.lastByteAt)
  }

  /// The answer is over.
  func hears(_ exchange: MCPExchange, _ ended: EndedExchange) {
    guard exchange.agent != nil else { return }
    if let payload = ended.response.payload { hears(exchange, payload, at: ended.at) }
    agents.answer(exchange, nil, to: exchange.asks, at: time(ended.at))
  }

  private func hears(_ exchange: MCPExchange, _ payload: JSONRPCPayload, at: Timestamp) {
    guard let message = payload.first, message.kind == .result || message.kind == .error else {
      return
    }
    agents.answer(exchange, message, to: exchange.asks, at: time(at))
  }

  /// Looks at who begins a session: as whom it is authorised, and whether it is one of several of an agent's run.
  func introduce(_ session: SessionState, _ exchange: MCPExchange) {
    if let authorization = exchange.requestHeader(.authorization),
      let identity = Principal.identity(ofBearer: authorization)
    {
      session.line.principal = Principal.hash(identity, options.redactor)
    }
    guard let implementation = session.line.client else { return }
    let client = AgentRuns.Client(
      host: exchange.clientHost, credential: Principal.credential(of: exchange),
      implementation: implementation, userAgent: exchange.request?.fields.first("user-agent"))
    guard let other = runs.begin(session, client, at: session.line.t) else { return }
    other.successor = session
    if other.line.agent == nil {
      other.line.agent = runs.name()
      if !other.isEndWritten { announce(other) }
    }
    session.line.agent = other.line.agent
  }
}
