internal import NIOCore

/// Lets a listener that cannot accept (no descriptor, no memory) try again a little later.
///
/// NIO's own `AcceptBackoffHandler` delays its next read, but the failed one is still pending, so that the
/// event loop comes back at once, and again, for as long as a connection waits. Only without `autoRead` is
/// the listener really left alone; the connections that wait do so in the kernel's backlog.
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = any Channel

  /// Long enough not to be felt as load, short enough not to be felt as an outage.
  private static let duration = TimeAmount.milliseconds(100)

  private let notify: @Sendable (ProxyNotice) -> Void
  private var hasNotified = false

  init(notify: @escaping @Sendable (ProxyNotice) -> Void) { self.notify = notify }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasNotified = false
    context.fireChannelRead(data)
  }

  /// Says so once, until the next connection has been accepted.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if !hasNotified { notify(.acceptFailed(cause: "\(error)")) }
    hasNotified = true
    guard error is IOError else { return }
    let channel = context.channel
    // Both fail only once the listener is closed, and then there is nothing to pause.
    _ = channel.setOption(.autoRead, value: false)
    context.eventLoop.scheduleTask(in: Self.duration) {
      _ = channel.setOption(.autoRead, value: true)
    }
  }
}
