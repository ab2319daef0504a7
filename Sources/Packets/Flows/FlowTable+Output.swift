import Basics
import NIOCore

extension FlowTable {
  /// Says all that the directions have to say; `side` may have brought what the other waits for, or the other way.
  mutating func drainBoth(_ slot: Int, _ side: Side) {
    let start = events.count
    drain(slot, side)
    drain(slot, side.other)
    if store.flows[slot][side].waiting != nil { drain(slot, side) }
    guard events.count > start else { return }
    release(slot, side, from: start)
    release(slot, side.other, from: start)
    if events.count > start + 1 { interleave(from: start) }
  }

  /// Says what a direction keeps back for the other's sake and was sent before what the other has just said.
  private mutating func release(_ slot: Int, _ side: Side, from start: Int) {
    guard store.flows[slot][side].waiting != nil, store.flows[slot][side.other].owesAcknowledged,
      let client = store.flows[slot].client
    else { return }
    let other = side == client ? Direction.s2c : .c2s
    guard let until = latest(of: other, from: start) else { return }
    while let at = store.flows[slot][side].readyAt, at <= until,
      let output = store.flows[slot][side].takeOutput()
    {
      emit(output, slot, side)
    }
  }

  /// The direction that has to speak first when the wait of both ends at once.
  func leading(_ slot: Int) -> Side {
    if store.flows[slot].high.owesAcknowledged { return .high }
    if store.flows[slot].low.owesAcknowledged { return .low }
    guard let high = store.flows[slot].high.waiting?.held.first?.at else { return .low }
    guard let low = store.flows[slot].low.waiting?.held.first?.at else { return .high }
    return high < low ? .high : .low
  }

  /// Says all that a direction has to say, and decides on its holes.
  private mutating func drain(_ slot: Int, _ side: Side) {
    let clock = Clock(
      time: now, segments: Int(store.flows[slot].segments), packets: counters.packetsIn + silence)
    if store.flows[slot][side.other].owesAcknowledged,
      store.flows[slot][side].charge > limits.heldPerDirection
    {
      counters.count(.heldLimit)
      store.flows[slot][side.other].giveUpHoles(now)
    }
    if store.flows[slot][side.other].owesAcknowledged {
      _ = store.flows[slot][side].review(clock, limits: limits, &counters)
    } else {
      repeat {
        while let output = store.flows[slot][side].takeOutput() { emit(output, slot, side) }
      } while store.flows[slot][side].review(clock, limits: limits, &counters)
    }
    guard let waiting = store.flows[slot][side].waiting else { return }
    held += waiting.charge - waiting.accounted
    waiting.accounted = waiting.charge
    let isEnded = store.flows[slot][side].isEnded
    if !isEnded, let cause = waiting.evidence?.cause, !waiting.isWatched {
      waiting.isWatched = true
      watch(slot, side, cause)
    }
    if isEnded || waiting.isOver(at: store.flows[slot][side].next) {
      store.flows[slot][side].waiting = nil
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
      store.flows[slot][side].resolveSYNData(wasTaken: false, &counters)
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
    guard let backlog = store.flows[slot].backlog else { return }
    var client: Side?
    if case .bytes(let bytes, let time) = output {
      backlog.outputs.append((side, .bytes(HeldBlocks.copy(bytes), at: time)))
      backlog.bytes += bytes.readableBytes
      held += bytes.readableBytes
      if let isClient = ClientGuess.senderIsClient(bytes) {
        client = isClient ? side : side.other
      } else {
        client = ClientGuess.byEphemeralPort(store.flows[slot].key)
      }
    } else {
      backlog.outputs.append((side, output))
    }
    if client == nil, backlog.outputs.count >= Patience.unknownRole {
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
}
