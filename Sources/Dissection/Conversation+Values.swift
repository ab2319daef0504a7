import Basics
import MCP
import Redaction
import Trace
import Wire

/// Which values of requests came from answers.
extension Conversation {
  /// Memory that all sessions' values may take: those of sessions silent for longest are forgotten first.
  private static let valuesLimit = 24 << 20

  /// Returns what a request took from answers, and notes what its agent says.
  func uses(
    of message: JSONRPCMessage, as payload: RedactedPayload?, at t: Int64, _ session: SessionState
  ) -> [ValueUse] {
    guard let params = message.content else { return [] }
    return changeValues(session, at: t) {
      $0.uses(in: params, at: t, shown: payload?.texts ?? [:])
    }
  }

  /// Notes what an answer gave out.
  func learnValues(
    _ message: JSONRPCMessage, as payload: RedactedPayload?, from line: ResponseLine,
    _ exchange: MCPExchange, of request: OpenRequest, _ session: SessionState
  ) {
    guard let result = message.content, let done = line.done else { return }
    changeValues(session, at: done) { flow in
      flow.learn(
        result, of: request.method, isStructured: message.isStructured, n: line.n, done: done,
        shown: payload?.texts ?? [:])
      // Other answers of the stream came with the same fields.
      if line.headers != nil, let fields = exchange.response?.fields {
        flow.learn(fields, n: line.n, done: done)
      }
    }
  }

  private func changeValues<Result>(
    _ session: SessionState, at t: Int64, _ change: (inout ValueFlow) -> Result
  ) -> Result {
    let (size, losses) = (session.flow.size, session.flow.losses)
    let result = change(&session.flow)
    valuesSize += session.flow.size - size
    if session.flow.losses != losses { note("limit.session_values", session, at: t) }
    if valuesSize > Conversation.valuesLimit { forgetValues(but: session) }
    return result
  }

  /// Forgets the values of half of the sessions.
  private func forgetValues(but latest: SessionState) {
    let silent = table.all.filter { $0 !== latest && $0.flow.size > 0 }
      .sorted { $0.lastActivity < $1.lastActivity }
    for session in silent.prefix(max(1, silent.count / 2)) {
      note("limit.values", session, at: session.lastActivity)
      dropValues(session)
    }
  }

  /// Forgets the values of a session, as when it is over.
  func dropValues(_ session: SessionState) {
    valuesSize -= session.flow.size
    session.flow = ValueFlow()
  }
}
