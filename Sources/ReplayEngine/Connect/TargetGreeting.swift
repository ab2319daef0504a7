import NIOCore
import NIOTLS
import Wire

/// The first connection to a target: tells how the TLS handshake went, and whether HTTP/2 is spoken where nobody asks.
final class TargetGreeting: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// A server that wants a certificate says so after the client's handshake is over (RFC 8446 §4.4.2.4).
  private static let afterthought: TimeAmount = .milliseconds(250)

  private let promise: EventLoopPromise<String?>
  private let isSecure: Bool
  private let isHTTP2: Bool
  private var client = HTTP2Client()
  private var isShaken = false

  init(_ promise: EventLoopPromise<String?>, isSecure: Bool, isHTTP2: Bool) {
    self.promise = promise
    self.isSecure = isSecure
    self.isHTTP2 = isHTTP2
  }

  func channelActive(context: ChannelHandlerContext) {
    guard !isSecure else { return }
    guard isHTTP2 else { return promise.succeed(nil) }
    if let bytes = client.output() {
      context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isHTTP2, !isSecure else { return }
    client.append(unwrapInboundIn(data))
    if client.isUsable { promise.succeed("h2") } else { refuse() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted(let spoken)? = event as? TLSUserEvent {
      isShaken = true
      let promise = promise
      context.eventLoop.scheduleTask(in: TargetGreeting.afterthought) { promise.succeed(spoken) }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(error)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { fail(ChannelError.eof) }

  private func fail(_ error: any Error) {
    if isShaken {
      promise.fail(
        TargetUnreachable(
          sentence: "the server ended the TLS connection at once; does it want a --client-cert?"))
    } else if isHTTP2, !isSecure {
      refuse()
    } else {
      promise.fail(error)
    }
  }

  private func refuse() {
    promise.fail(
      TargetUnreachable(sentence: "the target does not speak HTTP/2 here; leave --http2 out"))
  }
}
