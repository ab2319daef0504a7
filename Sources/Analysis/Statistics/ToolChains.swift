/// Chains of tool calls.
///
/// A chain is a session's agent-made `tools/call` by (turn, start), parallel ones bracketed:
/// `search → (read ∥ read ∥ read) → write`. Calls of one turn are parallel; repetitions after a 401, rounds that
/// resume a call, and polls belong to their call and do not show.
public enum ToolChains {
  /// Returns the chain of a session; empty when its agent called no tool.
  public static func chain(of session: RecordedSession) -> String { chain(of: session.calls) }

  /// Returns the chain of calls that are in order of (turn, start).
  public static func chain(of calls: [LogicalCall]) -> String {
    turns(of: calls).map { turn in
      turn.count == 1
        ? turn[0].tool : "(" + turn.map(\.tool).joined(separator: " ∥ ") + ")"
    }.joined(separator: " → ")
  }

  /// Returns calls that are in order of (turn, start), turn by turn.
  public static func turns(of calls: [LogicalCall]) -> [[LogicalCall]] {
    var turns: [[LogicalCall]] = []
    for call in calls {
      if let last = turns.indices.last, turns[last][0].turn == call.turn {
        turns[last].append(call)
      } else {
        turns.append([call])
      }
    }
    return turns
  }

  /// A chain and how many sessions have it.
  public struct Count: Hashable, Sendable {
    /// The chain.
    public let chain: String
    /// Sessions with that chain.
    public let count: Int
  }

  /// Returns the chains of the sessions that have one, the most frequent first.
  public static func counts(of sessions: [RecordedSession]) -> [Count] {
    var counts: [String: Int] = [:]
    for session in sessions {
      let chain = chain(of: session)
      if !chain.isEmpty { counts[chain, default: 0] += 1 }
    }
    return counts.map { Count(chain: $0.key, count: $0.value) }
      .sorted { ($1.count, $0.chain) < ($0.count, $1.chain) }
  }
}
