public import Basics
import NIOCore

/// Turns captured frames into flow events: finds the TCP connections and puts their streams in order.
///
/// Theory: a flow is one epoch of a pair of endpoints (RFC 9293 §3.3): it is opened by the first SYN or payload seen
/// and replaced when a SYN shows that the ports are used again. Each direction has a `StreamAssembler`; this type
/// finds it, feeds it and runs its timers. Timers run on the highest capture time seen, never on a wall clock.
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
  var events = CircularBuffer<FlowEvent>(initialCapacity: 16)
  /// Charge of all held bytes.
  var held = 0
  /// The highest capture time seen.
  var now = Timestamp(nanoseconds: .min)
  private var lastTime = Timestamp(nanoseconds: .min)
  private var flowCount = 0
  var watches = CircularBuffer<Watch>()
  var fragments = FragmentTable()

  /// A timer for a direction whose hole may be over although the flow is silent.
  struct Watch {
    var slot: Int
    var side: Side
    var id: FlowID
    var deadline: Timestamp
  }

  /// Creates an empty table; with `ports`, connections that have none of them are counted as `filtered`.
  public init(limits: FlowLimits = .default, ports: Set<UInt16> = []) {
    self.limits = limits
    self.ports = ports
  }

  /// Runs the timers when no frame comes; drain `next()` after it. Times before the highest one seen change nothing.
  public mutating func advance(to time: Timestamp) {
    if now < time { now = time }
    runTimers()
  }

  /// Takes the next frame of the capture; drain `next()` after each.
  public mutating func append(_ frame: CapturedFrame) {
    counters.packetsIn += 1
    if frame.at < lastTime { counters.count(.timeBackwards) }
    lastTime = frame.at
    if now < frame.at { now = frame.at }
    runTimers()
    var packet = FlowTable.read(frame)
    guard case .fragment = packet else { return take(packet, frame) }
    var whole = copy frame
    while case .fragment(let ip) = packet, let fragment = ip.fragment {
      guard let datagram = fragments.insert(whole, ip, fragment, now: now, &counters) else {
        return counters.count(.fragment)
      }
      counters.count(.reassembled)
      whole = datagram
      packet = FlowTable.read(whole)
    }
    take(packet, whole)
  }

  private mutating func take(_ packet: Packet, _ frame: borrowing CapturedFrame) {
    switch packet {
    case .counted(let packet): counters.count(packet)
    case .segment(let ip, let tcp): take(frame, ip, tcp)
    case .fragment: counters.count(.fragment)
    }
  }

  private static func read(_ frame: borrowing CapturedFrame) -> Packet {
    LayerWalk.read(
      frame.bytes.readableBytesUInt8Span, frame.linkType, wireLength: frame.originalLength)
  }

  /// Returns the next event in order; `nil` when another frame is needed.
  public mutating func next() -> FlowEvent? { events.popFirst() }

  /// Ends the capture: what waits behind holes is said after gaps, and every open direction ends.
  public mutating func finish() {
    fragments.finish(&counters)
    let open = store.slots.sorted { store.flows[$0].id < store.flows[$1].id }
    for slot in open { retire(slot, .captureEnd) }
  }

  // MARK: Flows

  /// Returns the slot of a new flow that this segment opens; `nil` when it opens none.
  mutating func open(
    _ key: FlowKey, _ side: Side, _ tcp: TCPView, _ frame: borrowing CapturedFrame
  ) -> Int? {
    let isSYN = tcp.flags.contains(.syn) && !tcp.flags.contains(.rst)
    // A single byte may be a keep-alive probe and must not set where the stream begins.
    guard isSYN || (tcp.length > 1 && !tcp.flags.contains(.rst)) else { return nil }
    if store.count >= limits.flows,
      let old = store.oldest(.closed) ?? store.oldest(.dormant) ?? store.oldest(.active)
    {
      counters.count(.flowLimit)
      retire(old, .idle)
    }
    flowCount += 1
    let slot = store.insert(
      Flow(id: FlowID(flowCount), key: key, at: frame.at, now: now, fromStart: isSYN))
    if isSYN {
      settle(tcp.flags.contains(.ack) ? side.other : side, slot)
    } else {
      counters.count(.midstream)
    }
    return slot
  }

  /// Ends what is open of a flow and forgets it.
  mutating func retire(_ slot: Int, _ how: FlowEnding) {
    for side in [Side.low, .high] {
      store.streams[FlowStore.stream(slot, side)].close(how, time: now, &counters)
      drain(slot, side)
    }
    if store.flows[slot].client == nil { settle(ClientGuess.byPort(store.flows[slot].key), slot) }
    store.remove(slot)
  }

  /// Says `opened`, now that the client is known, and what was kept back.
  mutating func settle(_ client: Side, _ slot: Int) {
    let flow = store.flows[slot]
    store.flows[slot].client = client
    store.flows[slot].pending = []
    store.flows[slot].pendingBytes = 0
    held -= flow.pendingBytes
    let ends = FlowEnds(
      client: flow.key.endpoint(client), server: flow.key.endpoint(client.other),
      seenFromStart: flow.seenFromStart)
    events.append(.opened(flow.id, ends, at: flow.openedAt))
    for (side, output) in flow.pending { say(output, side == client ? .c2s : .s2c, flow.id) }
  }
}
