internal import Basics
internal import NIOCore
internal import NIOPosix

/// One client connection and the upstream connection made for it, glued. Confined to the client's loop.
///
/// Bytes are queued for the recording right before they are written: what they cause on another connection, on another
/// loop, comes behind them, so that no recording has an effect before its cause. Queueing takes a lock and no more; nobody
/// looks at bytes before they are forwarded. The flow is opened in the recording when the upstream is
/// connected, or could not be; until then nothing is read from the client.
final class Relay {
  /// Tells a client channel that its connection must end now.
  struct Cut: Sendable {}

  private let site: ProxySite
  private var state = RelayState()
  private var client: RelayHandler?
  private var upstream: RelayHandler?
  private var flow: FlowID?
  private var ends: FlowEnds?
  private var acceptedAt = Timestamp(nanoseconds: 0)
  private var registration: OpenConnections.Key?
  private var endedStreams: [Direction] = []
  /// Of an intercepted connection alone.
  private var passage: LoopGuard.Passage?

  init(site: ProxySite) { self.site = site }

  /// Installs the client's leg on a channel that was just accepted.
  static func install(on channel: any Channel, site: ProxySite) throws {
    try Tuning.apply(to: channel, isTCP: site.listensOnTCP)
    let relay = Relay(site: site)
    let handler = RelayHandler(leg: .client, relay: relay, clock: site.clock)
    relay.client = handler
    try channel.pipeline.syncOperations.addHandler(handler)
  }

  /// Connects the upstream for `channel`, the client's, which has become active.
  func start(on channel: any Channel) {
    acceptedAt = site.clock.now()
    ends = FlowEnds(
      client: Endpoint(channel.remoteAddress), server: Endpoint(channel.localAddress))
    registration = site.connections.register(channel)
    guard registration != nil else {
      abort(.captureEnd, at: acceptedAt)
      return
    }
    switch site.target {
    case .fixed(let upstream): dial(upstream, on: channel.eventLoop)
    case .intercepted(let interception, let loops):
      do throws(InterceptionError) {
        let destination = try interception.destination(of: channel)
        ends?.server = destination
        passage = try loops.enter(Endpoint(channel.remoteAddress), to: destination)
        pass(to: Upstream(destination), on: channel.eventLoop)
      } catch {
        refused(error)
      }
    }
  }

  /// Connects an intercepted connection to its destination once it is sure that it does not lead back.
  private func pass(to upstream: Upstream, on loop: any EventLoop) {
    guard !state.isAborted else { return }
    guard passage?.isSettled == true else {
      loop.assumeIsolated().scheduleTask(in: .milliseconds(1)) {
        self.pass(to: upstream, on: loop)
      }
      return
    }
    guard passage?.begin() == true else {
      refused(InterceptionError.leadsBack)
      return
    }
    dial(upstream, on: loop)
  }

  private func dial(_ upstream: Upstream, on loop: any EventLoop) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    let site = site
    let connecting = upstream.connect(on: loop) { channel in
      try Tuning.apply(to: channel, isTCP: upstream.isTCP)
      if let host = site.upstreamHost {
        try channel.pipeline.syncOperations.addHandler(HostRewriteHandler(host: host))
      }
      let handler = RelayHandler(leg: .upstream, relay: bound.value, clock: site.clock)
      try channel.pipeline.syncOperations.addHandler(handler)
    }
    connecting.assumeIsolated().whenComplete { result in
      switch result {
      case .success(let channel): self.connected(channel)
      case .failure(let error): self.refused(error)
      }
    }
  }

  private func connected(_ channel: any Channel) {
    let handler: RelayHandler
    do {
      handler = try channel.pipeline.syncOperations.handler(type: RelayHandler.self)
    } catch {
      // Only a channel that is closing has lost its handler.
      refused(error)
      return
    }
    guard !state.isAborted else {
      handler.reset()
      return
    }
    guard channel.isActive else {
      refused(ChannelError.ioOnClosedChannel)
      return
    }
    if passage?.connected(from: Endpoint(channel.localAddress)) == false {
      handler.reset()
      refused(InterceptionError.leadsBack)
      return
    }
    upstream = handler
    state.connected()
    ends?.upstream = Endpoint(channel.remoteAddress)
    openFlow()
    client?.begin()
    upstream?.begin()
  }

  private func refused(_ error: any Error) {
    guard !state.isAborted else { return }
    site.connections.upstreamFailed()
    if let ends {
      let name =
        if case .fixed(let upstream) = site.target { "\(upstream)" } else { "\(ends.server)" }
      site.notify(.upstreamUnreachable(client: ends.client, upstream: name, cause: "\(error)"))
    }
    abort(.reset, at: site.clock.now())
  }

  func received(_ buffer: ByteBuffer, on leg: Leg, at: Timestamp) {
    guard state.isReading(leg) else { return }
    tap(buffer, leg.reads, at)
    handler(leg.other)?.write(buffer)
  }

  private func tap(_ buffer: ByteBuffer, _ direction: Direction, _ at: Timestamp) {
    guard let flow else { return }
    site.handoff.offer(.bytes(flow, direction, buffer.detachedIfSmall, at: at))
  }

  func inputEnded(on leg: Leg, at: Timestamp) {
    apply(state.inputEnded(on: leg), leg, at)
  }

  func outputFlushed(on leg: Leg) -> Bool { state.outputFlushed(on: leg) }

  func isWritable(_ leg: Leg) -> Bool { handler(leg)?.isWritable ?? false }

  func writableAgain(_ leg: Leg) { handler(leg.other)?.resumeReading() }

  func failed(_ source: RelayHandler, on leg: Leg, at: Timestamp) {
    guard source === handler(leg) else { return }
    apply(state.failed(leg), leg, at)
  }

  func gone(_ source: RelayHandler, on leg: Leg, at: Timestamp) {
    guard source === handler(leg) else { return }
    apply(state.gone(leg), leg, at)
    finishIfOver()
  }

  /// Ends the connection because the proxy ends. A RST, so that nobody takes what came for all there was.
  func cut(at: Timestamp) {
    guard !state.isAborted else { return }
    abort(.captureEnd, at: at)
  }

  private func apply(_ consequence: RelayState.Consequence, _ leg: Leg, _ at: Timestamp) {
    switch consequence {
    case .none:
      break
    case .streamEnded:
      endStream(leg.reads, .fin, at: at)
      handler(leg.other)?.closeOutputWhenFlushed()
    case .broken:
      abort(.reset, at: at)
    }
  }

  private func abort(_ ending: FlowEnding, at: Timestamp) {
    state.abort()
    openFlow()
    tapUnforwarded()
    endStream(.c2s, ending, at: at)
    endStream(.s2c, ending, at: at)
    client?.reset()
    upstream?.reset()
  }

  /// Records what the client sent before a connection that never came about.
  private func tapUnforwarded() {
    for case .bytes(let bytes, let at) in client?.takeEarly() ?? [] {
      tap(bytes, .c2s, at)
    }
  }

  private func openFlow() {
    guard flow == nil, let ends else { return }
    flow = site.handoff.open(ends, at: acceptedAt)
  }

  private func endStream(_ direction: Direction, _ ending: FlowEnding, at: Timestamp) {
    guard let flow, !endedStreams.contains(direction) else { return }
    endedStreams.append(direction)
    site.handoff.offer(.ended(flow, direction, ending, at: at))
  }

  private func finishIfOver() {
    guard state.isFinished else { return }
    if let registration { site.connections.unregister(registration) }
    registration = nil
    passage?.end()
    passage = nil
    client = nil
    upstream = nil
  }

  private func handler(_ leg: Leg) -> RelayHandler? { leg == .client ? client : upstream }
}

extension ByteBuffer {
  /// The buffer itself, or a copy of its bytes when it uses less than a quarter of its memory: what waits
  /// to be dissected must not hold a whole receive buffer for each small read.
  fileprivate var detachedIfSmall: ByteBuffer {
    readableBytes < storageCapacity / 4 ? ByteBuffer(buffer: self) : self
  }
}
