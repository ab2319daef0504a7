public import Basics

/// Something the operator may want to know; traffic that is not concerned goes on.
public enum ProxyNotice: Hashable, Sendable {
  /// No connection to the upstream could be made; `client`'s connection was reset.
  case upstreamUnreachable(client: Endpoint, upstream: String, cause: String)
  /// Connections cannot be accepted at the moment; said once until one is accepted again.
  case acceptFailed(cause: String)
  /// The listening socket broke; no new connection comes in any more.
  case listenerLost(address: Endpoint, cause: String)
}

extension ProxyNotice: CustomStringConvertible {
  /// One sentence saying what, where and what follows.
  public var description: String {
    switch self {
    case .upstreamUnreachable(let client, let upstream, let cause):
      "cannot connect to upstream \(upstream), reset the connection of \(client): \(cause)"
    case .acceptFailed(let cause):
      "cannot accept connections, new ones wait: \(cause)"
    case .listenerLost(let address, let cause):
      "no longer listening on \(address): \(cause)"
    }
  }
}
