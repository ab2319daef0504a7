public import Basics
import NIOCore

/// Turns captured frames into flow events: finds the TCP connections and puts their streams in order.
///
/// Theory: a flow is one epoch of a pair of endpoints (RFC 9293 §3.3): it is opened by the first SYN or payload seen
/// and replaced when a SYN shows that the ports are used again. Each direction has a `StreamAssembler`; this type
/// finds it, feeds it and runs its timers. Timers run on the highest capture time seen, never on a wall clock.
///
/// Nearly every segment is the next one of a flow for which nothing waits: it takes a short way (`advance`) on which
/// nothing is allocated and its payload is passed on as a slice of the frame. Whatever is kept beyond a call is copied.
///
/// Invariant: after `append`, the counters balance; each flow says `opened` first and `ended` once for each
/// direction that was opened, at the latest in `finish`. Memory is bounded by `FlowLimits`.
///
/// Wrong input: whatever a frame holds is the traffic's or the capture's doing; it is counted, never an error.
public struct FlowTable: ~Copyable {
  /// Where every packet and byte went.
  public internal(set) var counters = PacketCounters()

  let limits: FlowLimits
  /// Ports of which a connection must have one; empty: all are wanted.
  let ports: Set<UInt16>
  var store = FlowStore()
  var fragments = FragmentTable()
  var recent = RecentSegments()
  var timers = FlowTimers()
  var events = CircularBuffer<FlowEvent>(initialCapacity: 16)
  /// The bytes of a segment that took the short way: said before `events`.
  var latest: Latest?
  /// Charge of all held bytes.
  var held = 0
  /// The highest capture time seen.
  var now = Timestamp(nanoseconds: .min)
  /// What silence counts for, in packets.
  var silence = 0
  /// Until then no timer has anything to do.
  var nextTimer = Timestamp(nanoseconds: .max)
  private var lastTime = Timestamp(nanoseconds: .min)
  private var flowCount = 0
  /// Slots of the flows that the capture's end has still to end, the last one first.
  private var unfinished: [Int] = []

  struct Latest {
    var id: FlowID
    var direction: Direction
    var bytes: ByteBuffer
    var at: Timestamp
  }

  /// Creates an empty table; with `ports`, connections that have none of them are counted as `filtered`.
  public init(limits: FlowLimits = .default, ports: Set<UInt16> = []) {
    self.limits = limits
    self.ports = ports
  }

  /// Runs the timers when no frame comes; drain `next()` after it. Times before the highest one seen change nothing.
  ///
  /// A live source's silence counts like the packets that would have brought what is missing.
  public mutating func advance(to time: Timestamp) {
    guard now < time else { return }
    now = time
    silence += Patience.acknowledgedHolePackets
    if now >= nextTimer { runTimers() }
  }

  /// Takes the next frame of the capture; drain `next()` after each. Returns false when that has nothing, as after half of them.
  @discardableResult
  public mutating func append(_ frame: CapturedFrame) -> Bool {
    counters.packetsIn += 1
    if latest != nil { queueLatest() }
    if frame.at < lastTime { counters.count(.timeBackwards) }
    lastTime = frame.at
    if now < frame.at {
      now = frame.at
      if now >= nextTimer { runTimers() }
    }
    let bytes = frame.bytes.readableSpan
    switch LayerWalk.read(bytes, frame.linkType, wireLength: frame.originalLength) {
    case .segment(let ip, let tcp): take(frame, bytes, ip, tcp)
    case .fragment(let ip): take(frame, fragment: ip)
    case .counted(let packet): counters.count(packet)
    }
    return latest != nil || !events.isEmpty
  }

  /// Returns the next event in order; `nil` when another frame is needed.
  public mutating func next() -> FlowEvent? {
    if let bytes = latest.take() {
      return .bytes(bytes.id, bytes.direction, bytes.bytes, at: bytes.at)
    }
    while events.isEmpty, let slot = unfinished.popLast() { retire(slot, .captureEnd) }
    return events.isEmpty ? nil : events.removeFirst()
  }

  /// Ends the capture: what waits behind holes is said after gaps, and every open direction ends. The counters are complete
  /// once `next()` has said all of it; no frame may follow.
  public mutating func finish() {
    queueLatest()
    fragments.finish(&counters)
    unfinished = store.slots.sorted { store.flows[$0].id > store.flows[$1].id }
  }

  private mutating func queueLatest() {
    guard let bytes = latest.take() else { return }
    events.append(.bytes(bytes.id, bytes.direction, bytes.bytes, at: bytes.at))
  }

  /// Takes a piece of a datagram and, when that was the last one missing, the datagram.
  private mutating func take(_ frame: CapturedFrame, fragment ip: IPView) {
    var frame = frame
    var packet = Packet.fragment(ip)
    while case .fragment(let ip) = packet, let fragment = ip.fragment {
      guard let whole = fragments.insert(frame, ip, fragment, now: now, &counters) else {
        if let deadline = fragments.deadline { wake(at: deadline) }
        return counters.count(.fragment)
      }
      counters.count(.reassembled)
      frame = whole
      packet = LayerWalk.read(
        frame.bytes.readableSpan, frame.linkType, wireLength: frame.originalLength)
    }
    switch packet {
    case .counted(let packet): counters.count(packet)
    case .segment(let ip, let tcp): take(frame, frame.bytes.readableSpan, ip, tcp)
    case .fragment: counters.count(.fragment)
    }
  }

  // MARK: Flows

  /// Returns the slot of a new flow that this segment opens; `nil` when it opens none.
  mutating func open(
    _ key: FlowKey, _ side: Side, _ tcp: TCPView, _ frame: borrowing CapturedFrame
  ) -> Int? {
    let isSYN = tcp.flags.contains(.syn) && !tcp.flags.contains(.rst)
    let isData = tcp.length > 0 && !tcp.flags.contains(.rst) && !isProbe(tcp)
    guard isSYN || isData else { return nil }
    if store.count >= limits.flows { evict() }
    flowCount += 1
    let slot = store.insert(
      Flow(id: FlowID(flowCount), key: key, at: frame.at, now: now, fromStart: isSYN),
      isSYN ? .opening : .active)
    wake(at: now + Patience.idle)
    if isSYN {
      settle(tcp.flags.contains(.ack) ? side.other : side, slot)
    } else {
      counters.count(.midstream)
    }
    return slot
  }

  /// Whether a segment may be a keep-alive probe of a stream of which nothing is known: such a byte must not set where
  /// the stream begins. Probes are never pushed, a byte written alone is.
  func isProbe(_ tcp: TCPView) -> Bool {
    tcp.length == 1 && tcp.flags.isDisjoint(with: [.syn, .fin, .rst, .psh])
  }

  /// Makes room for a flow.
  private mutating func evict() {
    for stage in [Flow.Stage.closed, .opening, .dormant, .active] {
      guard let old = store.oldest(stage) else { continue }
      counters.count(.flowLimit)
      return retire(old, .idle)
    }
  }

  /// Ends what is open of a flow and forgets it.
  mutating func retire(_ slot: Int, _ how: FlowEnding) {
    if how == .captureEnd, store.flows[slot].segments == 1 { takeSYNData(slot) }
    let first = leading(slot)
    store.flows[slot].low.close(how, time: now, &counters)
    store.flows[slot].high.close(how, time: now, &counters)
    drainBoth(slot, first)
    if store.flows[slot].client == nil { settle(ClientGuess.byPort(store.flows[slot].key), slot) }
    if store.flows[slot].low.isHeard != store.flows[slot].high.isHeard,
      store.flows[slot].stage != .opening
    {
      counters.count(.oneSided)
    }
    store.remove(slot)
  }

  /// Takes the data of a SYN that is all there is of a flow: it was sent, and nothing speaks for its being refused.
  private mutating func takeSYNData(_ slot: Int) {
    store.flows[slot].low.resolveSYNData(wasTaken: true, &counters)
    store.flows[slot].high.resolveSYNData(wasTaken: true, &counters)
  }

  /// Says `opened`, now that the client is known, and what was kept back.
  mutating func settle(_ client: Side, _ slot: Int) {
    let flow = store.flows[slot]
    store.flows[slot].client = client
    store.flows[slot].backlog = nil
    let ends = FlowEnds(
      client: flow.key.endpoint(client), server: flow.key.endpoint(client.other),
      seenFromStart: flow.seenFromStart)
    events.append(.opened(flow.id, ends, at: flow.openedAt))
    guard let backlog = flow.backlog else { return }
    held -= backlog.bytes
    for (side, output) in backlog.outputs {
      say(output, side == client ? .c2s : .s2c, flow.id)
    }
  }
}
