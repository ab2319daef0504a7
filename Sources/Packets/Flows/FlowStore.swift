import Basics
import NIOCore

/// One end of a connection as the addresses order them; says nothing about who dialled.
enum Side: Int {
  case low
  case high

  var other: Side { self == .low ? .high : .low }
}

/// The two endpoints of a connection, in the order of their addresses.
struct FlowKey: Hashable {
  var low: IPAddress
  var high: IPAddress
  var lowPort: UInt16
  var highPort: UInt16

  /// Returns the key of a packet's connection and the end that sent it.
  static func of(_ ip: IPView, _ tcp: TCPView) -> (FlowKey, Side) {
    let isLow =
      ip.source == ip.destination
      ? tcp.sourcePort <= tcp.destinationPort : ip.source < ip.destination
    return isLow
      ? (
        FlowKey(
          low: ip.source, high: ip.destination, lowPort: tcp.sourcePort,
          highPort: tcp.destinationPort), .low
      )
      : (
        FlowKey(
          low: ip.destination, high: ip.source, lowPort: tcp.destinationPort,
          highPort: tcp.sourcePort), .high
      )
  }

  func port(_ side: Side) -> UInt16 { side == .low ? lowPort : highPort }

  func endpoint(_ side: Side) -> Endpoint {
    Endpoint(host: (side == .low ? low : high).description, port: Int(port(side)))
  }
}

/// A connection: one epoch of a pair of endpoints.
struct Flow {
  /// What a flow is waiting for.
  enum Stage: Int, CaseIterable {
    /// Packets were seen lately.
    case active
    /// Silent for so long that its holes were given up.
    case dormant
    /// Both directions have ended.
    case closed
  }

  let id: FlowID
  let key: FlowKey
  let openedAt: Timestamp
  let seenFromStart: Bool
  /// Who dialled, once that is known.
  var client: Side?
  /// Events kept back until it is.
  var pending: [(Side, StreamAssembler.Output)] = []
  var pendingBytes = 0
  var lastSeen: Timestamp
  var segments = 0
  var endedSides = 0
  fileprivate(set) var stage = Stage.active
  fileprivate var previous = -1
  fileprivate var following = -1

  init(id: FlowID, key: FlowKey, at: Timestamp, now: Timestamp, fromStart: Bool) {
    self.id = id
    self.key = key
    openedAt = at
    lastSeen = now
    seenFromStart = fromStart
  }

  var isClosed: Bool { endedSides == 2 }
}

/// All flows, found by key in O(1) and, stage by stage, in the order they were last seen.
///
/// A flow has a slot; its two directions are `streams[2 * slot + side]`. Slots are used again.
struct FlowStore {
  var flows: [Flow] = []
  var streams: [StreamAssembler] = []
  private var index: [FlowKey: Int] = [:]
  private var free: [Int] = []
  private var chains = [Chain](repeating: Chain(), count: Flow.Stage.allCases.count)
  private var last: (key: FlowKey, slot: Int)?

  private struct Chain {
    var head = -1
    var tail = -1
  }

  var count: Int { index.count }
  /// Slots in use, in no order.
  var slots: some Collection<Int> { index.values }

  static func stream(_ slot: Int, _ side: Side) -> Int { 2 * slot + side.rawValue }

  /// Returns the slot of a connection.
  mutating func find(_ key: FlowKey) -> Int? {
    if let last, last.key == key { return last.slot }
    guard let slot = index[key] else { return nil }
    last = (key, slot)
    return slot
  }

  /// Returns the flow of `stage` that was silent for longest.
  func oldest(_ stage: Flow.Stage) -> Int? {
    let head = chains[stage.rawValue].head
    return head < 0 ? nil : head
  }

  mutating func insert(_ flow: Flow) -> Int {
    let slot: Int
    if let used = free.popLast() {
      slot = used
      flows[slot] = flow
    } else {
      slot = flows.count
      flows.append(flow)
      streams.append(StreamAssembler())
      streams.append(StreamAssembler())
    }
    index[flow.key] = slot
    link(slot, .active)
    return slot
  }

  mutating func remove(_ slot: Int) {
    unlink(slot)
    index[flows[slot].key] = nil
    last = nil
    flows[slot].pending = []
    streams[2 * slot] = StreamAssembler()
    streams[2 * slot + 1] = StreamAssembler()
    free.append(slot)
  }

  /// Makes the flow the most recent one of `stage`.
  mutating func move(_ slot: Int, to stage: Flow.Stage) {
    if flows[slot].stage == stage, chains[stage.rawValue].tail == slot { return }
    unlink(slot)
    link(slot, stage)
  }

  private mutating func link(_ slot: Int, _ stage: Flow.Stage) {
    let tail = chains[stage.rawValue].tail
    flows[slot].stage = stage
    flows[slot].previous = tail
    flows[slot].following = -1
    if tail >= 0 { flows[tail].following = slot } else { chains[stage.rawValue].head = slot }
    chains[stage.rawValue].tail = slot
  }

  private mutating func unlink(_ slot: Int) {
    let stage = flows[slot].stage.rawValue
    let (previous, following) = (flows[slot].previous, flows[slot].following)
    if previous >= 0 {
      flows[previous].following = following
    } else {
      chains[stage].head = following
    }
    if following >= 0 {
      flows[following].previous = previous
    } else {
      chains[stage].tail = previous
    }
  }
}
