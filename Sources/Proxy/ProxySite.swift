/// What the connections of one route share.
struct ProxySite: Sendable {
  let target: Target
  /// Whether clients come by TCP.
  let listensOnTCP: Bool
  /// What the Host fields become, if anything.
  let upstreamHost: String?
  let handoff: Handoff
  let clock: TapClock
  let connections: OpenConnections
  let notify: @Sendable (ProxyNotice) -> Void

  /// Where its connections go.
  enum Target: Sendable {
    case fixed(Upstream)
    case intercepted(ProxyConfiguration.Interception, LoopGuard)
  }
}
