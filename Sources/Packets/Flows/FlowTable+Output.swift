import Basics
import NIOCore

extension FlowTable {
  /// Says all that a direction has to say, and decides on its holes.
  mutating func drain(_ slot: Int, _ side: Side) {
    let stream = FlowStore.stream(slot, side)
    let segments = store.flows[slot].segments
    repeat {
      while let output = store.streams[stream].takeOutput() { emit(output, slot, side) }
    } while store.streams[stream].review(
      now: now, segments: segments, limits: limits, &counters)
    let charge = store.streams[stream].charge
    held += charge - store.streams[stream].accounted
    store.streams[stream].accounted = charge
    if store.streams[stream].hasEvidence, !store.streams[stream].isWatched {
      store.streams[stream].isWatched = true
      watch(slot, side)
    }
  }

  /// Counts an output and passes it on, or keeps it back until the client is known.
  private mutating func emit(_ output: StreamAssembler.Output, _ slot: Int, _ side: Side) {
    switch output {
    case .bytes(let bytes, _):
      counters.bytes.held -= bytes.readableBytes
      counters.bytes.delivered += bytes.readableBytes
    case .gap(let count, _, let truncated):
      counters.count(.gaps)
      counters.count(.gapBytes, count)
      if truncated { counters.count(.truncatedBytes, count) }
    case .ended:
      store.flows[slot].endedSides += 1
      store.streams[FlowStore.stream(slot, side)].resolveSYNData(wasTaken: false, &counters)
    }
    if let client = store.flows[slot].client {
      say(output, side == client ? .c2s : .s2c, store.flows[slot].id)
    } else {
      keepBack(output, slot, side)
    }
  }

  private mutating func keepBack(
    _ output: StreamAssembler.Output, _ slot: Int, _ side: Side
  ) {
    var client: Side?
    store.flows[slot].pending.append((side, output))
    if case .bytes(let bytes, _) = output {
      store.flows[slot].pendingBytes += bytes.readableBytes
      held += bytes.readableBytes
      if let isClient = ClientGuess.senderIsClient(bytes) {
        client = isClient ? side : side.other
      } else {
        client = ClientGuess.byEphemeralPort(store.flows[slot].key)
      }
    }
    if client == nil, store.flows[slot].pending.count >= Patience.unknownRole {
      client = ClientGuess.byPort(store.flows[slot].key)
    }
    if let client { settle(client, slot) }
  }

  /// Puts an output in the queue as an event of the flow.
  mutating func say(_ output: StreamAssembler.Output, _ direction: Direction, _ id: FlowID) {
    switch output {
    case .bytes(let bytes, let time): events.append(.bytes(id, direction, bytes, at: time))
    case .gap(let count, let time, _): events.append(.gap(id, direction, count: count, at: time))
    case .ended(let how, let time): events.append(.ended(id, direction, how, at: time))
    }
  }

  // MARK: Timers and limits

  /// Gives up holes and forgets flows for which the capture's clock says so.
  mutating func runTimers() {
    fragments.expire(now, &counters)
    // Counted, because a clock at the end of its range would make every new deadline already past.
    for _ in 0..<watches.count {
      guard let watch = watches.first, watch.deadline <= now else { break }
      watches.removeFirst()
      guard !isStale(watch) else { continue }
      let stream = FlowStore.stream(watch.slot, watch.side)
      store.streams[stream].isWatched = false
      drain(watch.slot, watch.side)
      if store.flows[watch.slot].isClosed { store.move(watch.slot, to: .closed) }
    }
    while let slot = store.oldest(.closed),
      now - store.flows[slot].lastSeen > Patience.closed
    {
      retire(slot, .idle)
    }
    while let slot = store.oldest(.active), now - store.flows[slot].lastSeen > Patience.idle {
      giveUp(slot)
      store.move(slot, to: store.flows[slot].isClosed ? .closed : .dormant)
    }
  }

  private mutating func watch(_ slot: Int, _ side: Side) {
    if watches.count > 4 * limits.flows {
      var live = CircularBuffer<Watch>()
      for watch in watches where !isStale(watch) { live.append(watch) }
      watches = live
    }
    watches.append(
      Watch(
        slot: slot, side: side, id: store.flows[slot].id,
        deadline: now + Patience.acknowledgedHole))
  }

  /// Whether the flow of a timer is gone.
  private func isStale(_ watch: Watch) -> Bool {
    store.flows[watch.slot].id != watch.id
      || !store.streams[FlowStore.stream(watch.slot, watch.side)].isWatched
  }

  /// Turns a flow's holes into gaps; the flow goes on.
  private mutating func giveUp(_ slot: Int) {
    for side in [Side.low, .high] {
      store.streams[FlowStore.stream(slot, side)].giveUpHoles(now)
      drain(slot, side)
    }
  }

  /// Makes the flows that hold most give up until a quarter of the total is free: one sort pays for many packets.
  mutating func relieve() {
    var costs: [(slot: Int, charge: Int)] = []
    for slot in store.slots {
      let charge =
        store.streams[FlowStore.stream(slot, .low)].charge
        + store.streams[FlowStore.stream(slot, .high)].charge + store.flows[slot].pendingBytes
      if charge > 0 { costs.append((slot, charge)) }
    }
    costs.sort { ($0.charge, $1.slot) > ($1.charge, $0.slot) }
    for (slot, _) in costs where held > limits.heldInTotal / 4 * 3 {
      counters.count(.totalHeldLimit)
      giveUp(slot)
      for side in [Side.low, .high] {
        store.streams[FlowStore.stream(slot, side)].resolveSYNData(wasTaken: false, &counters)
        drain(slot, side)
      }
      if store.flows[slot].client == nil {
        settle(ClientGuess.byPort(store.flows[slot].key), slot)
      }
      if store.flows[slot].isClosed { store.move(slot, to: .closed) }
    }
  }
}
