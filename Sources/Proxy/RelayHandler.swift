internal import Basics
internal import Glibc
internal import NIOCore

/// The channel end of one leg: reads, writes, and tells its `Relay` what happens. Confined to its loop.
///
/// The client is accepted before the upstream is connected, so a leg may be heard before the pair is
/// complete. Nothing is read until `begin()`. But a FIN makes NIO read all that came before it, asked or
/// not: that is kept here until `begin()`, and goes past the water mark later; the kernel's receive buffer
/// bounds it.
final class RelayHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Early {
    case bytes(ByteBuffer, at: Timestamp)
    case inputEnded(at: Timestamp)
  }

  private let leg: Leg
  private let clock: TapClock
  private var relay: Relay?
  private var context: ChannelHandlerContext?
  private var early: [Early] = []
  private var hasBegun = false
  /// False while more waits to be written here than the water mark allows.
  private(set) var isWritable = true

  init(leg: Leg, relay: Relay, clock: TapClock) {
    self.leg = leg
    self.relay = relay
    self.clock = clock
  }

  /// Hands on what was read early and starts reading; the other leg must be there.
  func begin() {
    hasBegun = true
    for event in takeEarly() {
      switch event {
      case .bytes(let buffer, let at): relay?.received(buffer, on: leg, at: at)
      case .inputEnded(let at): relay?.inputEnded(on: leg, at: at)
      }
    }
    resumeReading()
  }

  func takeEarly() -> [Early] {
    defer { early = [] }
    return early
  }

  func write(_ buffer: ByteBuffer) {
    context?.writeAndFlush(Self.wrapOutboundOut(buffer), promise: nil)
  }

  /// Reads on, now that the other leg takes bytes again; does nothing while it does not.
  func resumeReading() {
    guard hasBegun, let relay, relay.isWritable(leg.other) else { return }
    context?.read()
  }

  /// Writes the FIN once all bytes before it are in the kernel.
  ///
  /// NIO turns "close the output" of a channel without input into a full close that forgets pending
  /// writes; an empty write at their end says when none are left.
  func closeOutputWhenFlushed() {
    guard let context else { return }
    let flushed = context.eventLoop.makePromise(of: Void.self)
    flushed.futureResult.assumeIsolated().whenSuccess { [self] in
      guard let relay, let context = self.context else { return }
      context.close(mode: relay.outputFlushed(on: leg) ? .all : .output, promise: nil)
    }
    context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: flushed)
  }

  /// Closes with a RST; what the kernel has not sent yet is lost, as it is when a peer resets.
  func reset() {
    guard let context else { return }
    if let options = context.channel as? any SocketOptionProvider {
      // On the channel's loop the option is set before this returns; failing, the close is a FIN.
      _ = options.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
    context.close(promise: nil)
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    relay = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    if leg == .client { relay?.start(on: context.channel) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let at = clock.now()
    let buffer = Self.unwrapInboundIn(data)
    if hasBegun {
      relay?.received(buffer, on: leg, at: at)
    } else {
      early.append(.bytes(buffer, at: at))
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) { resumeReading() }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    isWritable = context.channel.isWritable
    if isWritable { relay?.writableAgain(leg) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed:
      let at = clock.now()
      if hasBegun {
        relay?.inputEnded(on: leg, at: at)
      } else {
        early.append(.inputEnded(at: at))
      }
    case is Relay.Cut:
      relay?.cut(at: clock.now())
    default:
      break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    relay?.failed(self, on: leg, at: clock.now())
  }

  func channelInactive(context: ChannelHandlerContext) {
    relay?.gone(self, on: leg, at: clock.now())
  }
}
