import Trace
import Wire

/// What a connection tells the MCP layer of its exchanges, in the order an exchange lives through them.
enum ExchangeStep {
  /// The request is over (its body may be incomplete).
  case requested(HTTPExchange)
  /// The response switches to another protocol, in which the final one is to come.
  case switched(HTTPExchange, HTTPResponseHead)
  /// The final response's head is there.
  case answered(HTTPExchange)
  /// An event of its stream.
  case event(HTTPExchange, SSEEvent)
  /// Both are over.
  case ended(HTTPExchange, by: ResponseLine.EndedBy)
}
