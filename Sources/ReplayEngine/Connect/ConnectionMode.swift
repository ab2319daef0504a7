/// How agents use connections.
public enum ConnectionMode: Hashable, Sendable {
  /// As in the recording: each request on the agent's own counterpart of the connection that carried it.
  case recorded
  /// Each agent keeps its connections and opens another where all are busy.
  case keepAlive
  /// A new connection for every request.
  case perRequest
  /// So many connections for all agents together.
  case shared(Int)

  /// Its name as an option.
  public var text: String {
    switch self {
    case .recorded: "recorded"
    case .keepAlive: "keep-alive"
    case .perRequest: "per-request"
    case .shared(let count): "shared:\(count)"
    }
  }
}
