/// What the connections of one proxy share.
struct ProxySite: Sendable {
  let upstream: Upstream
  let handoff: Handoff
  let clock: TapClock
  let connections: OpenConnections
  let notify: @Sendable (ProxyNotice) -> Void
}
