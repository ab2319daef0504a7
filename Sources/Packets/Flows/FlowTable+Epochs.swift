import Basics

extension FlowTable {
  /// What a segment has to do with the flow that is known for its ports.
  enum Epoch {
    case same
    case new
    case ignored
  }

  /// Decides whether a segment belongs to the known flow or begins another with the same ports.
  mutating func epoch(_ slot: Int, _ side: Side, _ tcp: TCPView) -> Epoch {
    if tcp.flags.contains(.rst) { return .same }
    let distance = store.flows[slot][side].distance(to: tcp.dataSequence)
    let isFar = distance > limits.window || distance < -limits.window
    if tcp.flags.contains(.syn) {
      let epoch = epoch(slot, side, syn: tcp, isFar: isFar)
      if epoch == .new { counters.count(.portReuse) }
      return epoch
    }
    guard tcp.length > 0, store.flows[slot][side].isSynchronised else { return .same }
    if store.flows[slot].isClosed { return epochOfClosed(slot, side, tcp, isFar: isFar) }
    guard isFar else { return .same }
    guard store.flows[slot][side].noteForeign(tcp.dataSequence, length: tcp.length) else {
      return .ignored
    }
    guard distance > 0 else {
      counters.count(.portReuse)
      return .new
    }
    counters.count(.resync)
    store.flows[slot][side].jump(to: tcp.dataSequence, time: now)
    return .same
  }

  /// Data for a flow that has ended: a RST that was forged, ports used again, or late copies.
  private mutating func epochOfClosed(
    _ slot: Int, _ side: Side, _ tcp: TCPView, isFar: Bool
  ) -> Epoch {
    if isFar {
      guard !isProbe(tcp) else { return .ignored }
      counters.count(.portReuse)
      return .new
    }
    let end = store.flows[slot][side].distance(to: tcp.dataSequence + tcp.length)
    guard end > 0, store.flows[slot][side].wasReset, !isProbe(tcp) else { return .same }
    counters.count(.dataAfterRST)
    return .new
  }

  private mutating func epoch(
    _ slot: Int, _ side: Side, syn tcp: TCPView, isFar: Bool
  ) -> Epoch {
    let isStale =
      store.flows[slot].isOver || now - store.flows[slot].lastSeen > Patience.portReuse
    let ours = store.flows[slot][side]
    let theirs = store.flows[slot][side.other]
    guard ours.isSynchronised else {
      // Only the other end is known: this is its answer or a simultaneous open, unless that end was in mid-stream.
      let isFirst =
        store.flows[slot].seenFromStart || tcp.flags.contains(.ack) || theirs.isStartOpen
      return isStale || !isFirst ? .new : .same
    }
    if ours.base == tcp.dataSequence { return .same }
    if isStale { return .new }
    if ours.isStartOpen, !isFar { return .same }
    if tcp.flags.contains(.ack), theirs.isSynchronised, theirs.base == tcp.acknowledgement {
      // Another answer to the same SYN, from a stateless server or a middlebox: the client obeys the first.
      if store.flows[slot][side].resynchronise(at: tcp.dataSequence) { return .same }
      counters.count(.ignoredSYN)
      return .ignored
    }
    if isFar || !theirs.isSynchronised { return .new }
    counters.count(.ignoredSYN)
    return .ignored
  }
}
