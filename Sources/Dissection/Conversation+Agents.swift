import Basics
import MCP
import Wire

/// What exchanges without a session tell before it is clear whose they are.
extension Conversation {
  /// Assigns an exchange to an agent, or begins one.
  func assign(_ exchange: MCPExchange, _ content: RequestContent) {
    exchange.asks = content.messages.first { $0.message.kind == .request }?.message.method ?? ""
    agents.request(exchange, content, at: time(exchange.startedAt))
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
}
