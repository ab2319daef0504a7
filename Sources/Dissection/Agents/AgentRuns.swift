import Basics
import Trace

/// Links sessions of one agent's run: what a client does again after its session was lost, and what it has at several servers.
///
/// A link is made only where there is one candidate: the same client, address and credential, at the same endpoint one after the other,
/// at another one begun at about the same time; or the same trace id.
struct AgentRuns {
  /// What an agent's sessions have in common.
  struct Client: Hashable {
    var host: String
    var credential: String?
    var implementation: Implementation
    var userAgent: String?
  }

  /// How far apart sessions of one run may begin at several servers, and begin again at one, nanoseconds.
  private static let together: Int64 = 5_000_000_000
  private static let again: Int64 = 600_000_000_000
  /// Clients and sessions of each that are remembered.
  private static let clientLimit = 4096
  private static let sessionLimit = 64

  private var sessions: [Client: [SessionState]] = [:]
  private var count = 0

  /// Notes a session that begins; returns the earlier ones that are of the same run.
  mutating func begin(_ session: SessionState, _ client: Client, at t: Int64) -> SessionState? {
    if sessions.count > AgentRuns.clientLimit { sessions = [:] }
    let known = sessions[client, default: []]
    let place = (session.line.authority, session.line.path)
    let candidates = known.filter { other in
      let isHere = (other.line.authority, other.line.path) == place
      if isHere {
        return other.ended != nil && t - other.lastActivity <= AgentRuns.again
          && other.lastActivity <= t && other.successor == nil
      }
      return abs(t - other.line.t) <= AgentRuns.together
    }
    sessions[client, default: []].append(session)
    if sessions[client]?.count ?? 0 > AgentRuns.sessionLimit { sessions[client]?.removeFirst() }
    // Others of the same kind at this place, begun at the same time: whose run it is can't be told.
    let rivals = known.contains { other in
      (other.line.authority, other.line.path) == place && other.ended == nil
        && abs(t - other.line.t) <= AgentRuns.together
    }
    guard candidates.count == 1, !rivals, let run = candidates.first else { return nil }
    return run
  }

  /// The name of a new run.
  mutating func name() -> String {
    count += 1
    return "a\(count)"
  }

  /// Forgets sessions that are over for long.
  mutating func remove(_ gone: [SessionState]) {
    let gone = Set(gone.map(ObjectIdentifier.init))
    for (client, known) in sessions {
      let left = known.filter { !gone.contains(ObjectIdentifier($0)) }
      sessions[client] = left.isEmpty ? nil : left
    }
  }
}
