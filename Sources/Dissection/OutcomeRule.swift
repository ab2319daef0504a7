import Basics
import MCP
import Trace
import Wire

/// The outcome of a request: the first class that applies, in the contract's order.
enum OutcomeRule {
  /// What is known when an answer came.
  static func answered(
    _ message: JSONRPCMessage, result: ResultFacts?, status: Int?, knownSession: Bool,
    cancelled: Bool
  ) -> Outcome {
    if cancelled { return .cancelled }
    if status == 404, knownSession { return .sessionLost }
    if message.kind == .error { return .jsonrpcError }
    if let status, status >= 400 { return .httpError }
    return result?.isError == true ? .toolError : .ok
  }

  /// What is known when none came.
  static func unanswered(
    status: Int?, isComplete: Bool, by: ResponseLine.EndedBy, knownSession: Bool, cancelled: Bool
  ) -> Outcome {
    if cancelled { return .cancelled }
    if let status {
      if status == 404, knownSession { return .sessionLost }
      if isComplete, status >= 300 || status == 202 { return .httpError }
    }
    switch by {
    case .client: return .cancelled
    case .server: return .transportError
    case .capture: return .unanswered
    }
  }
}
