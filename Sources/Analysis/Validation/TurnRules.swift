import Basics
import Trace

/// How `turn` may run through a session.
///
/// Theory: 0 before the agent's first request, which is in turn 1. From then on, in order of time, an agent's
/// request is in the next turn when an answer of the current one is in its `after`, else in the current one. What
/// the client library sends, polls, repetitions and resumptions never lead; they must only not run ahead. In a
/// session whose beginning is missing the first turn may have any number.
enum TurnRules {
  /// Checks the requests of a session, in any order.
  static func check(
    _ requests: [Numbered<RequestLine>], _ index: MessageIndex, isCut: Bool,
    _ findings: inout Findings
  ) {
    var current: Int?
    let requests = requests.sorted {
      ($0.content.t, $0.content.n) < ($1.content.t, $1.content.n)
    }
    for entry in requests {
      let request = entry.content
      guard request.dir == .c2s, let turn = request.turn else { continue }
      let leads =
        request.origin == .agent && request.pollOf == nil && request.continues == nil
        && request.retryOf == nil
      guard leads else {
        let most = (current ?? (isCut ? turn : 0)) &+ (request.origin == .agent ? 1 : 0)
        if turn > most {
          findings.error(entry.line, "turn \(turn), but the session is in turn \(most)")
        } else if request.origin == .agent {
          current = max(current ?? turn, turn)
        }
        continue
      }
      guard let now = current else {
        if turn != 1, !isCut {
          findings.error(entry.line, "turn \(turn), but the agent's first request is in turn 1")
        }
        current = turn
        continue
      }
      let answered = (request.after ?? []).contains { index.turn(ofAnswer: $0) == now }
      let expected = answered ? now &+ 1 : now
      if turn != expected {
        findings.error(
          entry.line,
          "turn \(turn) where \(expected) follows: after "
            + (answered ? "has an" : "has no") + " answer of turn \(now)")
      }
      current = max(now, turn)
    }
  }
}
