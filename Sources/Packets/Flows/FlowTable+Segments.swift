import Basics
import NIOCore

extension FlowTable {
  /// What a segment has to do with the flow that is known for its ports.
  private enum Epoch {
    case same
    case new
    case ignored
  }

  /// Takes a TCP segment to its flow.
  mutating func take(_ frame: borrowing CapturedFrame, _ ip: IPView, _ tcp: TCPView) {
    guard ports.isEmpty || ports.contains(tcp.sourcePort) || ports.contains(tcp.destinationPort)
    else { return counters.count(.filtered) }
    counters.payloadBytesIn += tcp.captured
    let (key, side) = FlowKey.of(ip, tcp)
    var known = store.find(key)
    if let slot = known {
      switch epoch(slot, side, tcp) {
      case .same: break
      case .new:
        counters.count(.portReuse)
        retire(slot, .idle)
        known = nil
      case .ignored:
        counters.count(tcp.length > 0 ? .tcpData : .tcpControl)
        counters.bytes.outOfWindow += tcp.captured
        return
      }
    }
    guard let slot = known ?? open(key, side, tcp, frame) else {
      let isProbe = tcp.length == 1 && !tcp.flags.contains(.rst)
      counters.count(isProbe ? .tcpKeepAlive : tcp.length > 0 ? .tcpData : .tcpControl)
      if isProbe {
        counters.bytes.keepAlive += tcp.captured
      } else {
        counters.bytes.outsideFlow += tcp.captured
      }
      return
    }
    store.flows[slot].lastSeen = now
    store.flows[slot].segments += 1
    feed(slot, side, tcp, frame)
    drain(slot, side)
    drain(slot, side.other)
    store.move(slot, to: store.flows[slot].isClosed ? .closed : .active)
    if held > limits.heldInTotal { relieve() }
  }

  /// Decides whether a segment belongs to the known flow or begins another with the same ports.
  private mutating func epoch(_ slot: Int, _ side: Side, _ tcp: TCPView) -> Epoch {
    let ours = FlowStore.stream(slot, side)
    if tcp.flags.contains(.rst) { return .same }
    let distance = store.streams[ours].distance(to: tcp.dataSequence)
    let isFar = distance > limits.window || distance < -limits.window
    if tcp.flags.contains(.syn) { return epoch(slot, side, syn: tcp, isFar: isFar) }
    guard isFar, tcp.length > 0, store.streams[ours].isSynchronised else { return .same }
    if store.flows[slot].isClosed { return tcp.length > 1 ? .new : .ignored }
    guard store.streams[ours].noteForeign(tcp.dataSequence, length: tcp.length) else {
      return .ignored
    }
    guard distance > 0 else { return .new }
    counters.count(.resync)
    store.streams[ours].jump(to: tcp.dataSequence, time: now)
    return .same
  }

  private mutating func epoch(
    _ slot: Int, _ side: Side, syn tcp: TCPView, isFar: Bool
  ) -> Epoch {
    let ours = FlowStore.stream(slot, side)
    let theirs = FlowStore.stream(slot, side.other)
    let isStale =
      store.flows[slot].isClosed || now - store.flows[slot].lastSeen > Patience.portReuse
    guard store.streams[ours].isSynchronised else {
      // Only the other end is known: this is its answer or a simultaneous open, unless that end was in mid-stream.
      let isFirst = store.flows[slot].seenFromStart || tcp.flags.contains(.ack)
      return isStale || !isFirst ? .new : .same
    }
    if store.streams[ours].base == tcp.dataSequence { return .same }
    if isStale { return .new }
    if tcp.flags.contains(.ack), store.streams[theirs].isSynchronised,
      store.streams[theirs].base == tcp.acknowledgement
    {
      // Another answer to the same SYN, from a stateless server or a middlebox: the client obeys the first.
      if store.streams[ours].resynchronise(at: tcp.dataSequence) { return .same }
      counters.count(.ignoredSYN)
      return .ignored
    }
    if isFar || !store.streams[theirs].isSynchronised { return .new }
    counters.count(.ignoredSYN)
    return .ignored
  }

  /// Gives a segment's parts to the two directions: position, acknowledgement, bytes, FIN, RST.
  private mutating func feed(
    _ slot: Int, _ side: Side, _ tcp: TCPView, _ frame: borrowing CapturedFrame
  ) {
    let ours = FlowStore.stream(slot, side)
    let theirs = FlowStore.stream(slot, side.other)
    let isReset = tcp.flags.contains(.rst)
    if tcp.flags.contains(.syn), !store.streams[ours].isSynchronised {
      store.streams[ours].synchronise(at: tcp.dataSequence)
    }
    if tcp.flags.contains(.ack), !isReset { acknowledge(slot, theirs, tcp) }
    if tcp.flags.isDisjoint(with: [.syn, .rst]), tcp.length > 0 || tcp.flags.contains(.fin),
      let length = store.streams[ours].pendingSYNData
    {
      // The SYN/ACK was not captured: a sender that goes on behind the SYN's data knows that it arrived.
      let goesOn = tcp.sequence.distance(from: store.streams[ours].base) >= length
      store.streams[ours].resolveSYNData(wasTaken: goesOn, &counters)
    }
    if tcp.length > 0 || tcp.flags.isDisjoint(with: [.syn, .fin, .rst]) {
      feedPayload(slot, ours, tcp, frame)
    } else {
      counters.count(.tcpControl)
    }
    if isReset {
      guard store.streams[ours].isResetAcceptable(tcp.sequence, window: limits.window) else {
        return counters.count(.ignoredRST)
      }
      store.streams[ours].close(.reset, time: frame.at, &counters)
      store.streams[theirs].close(.reset, time: frame.at, &counters)
    } else if tcp.flags.contains(.fin) {
      let end = tcp.dataSequence + tcp.length
      if !store.streams[ours].isSynchronised { store.streams[ours].synchronise(at: end) }
      store.streams[ours].finish(at: end, time: frame.at, &counters)
    }
  }

  private mutating func acknowledge(_ slot: Int, _ theirs: Int, _ tcp: TCPView) {
    if store.streams[theirs].isSynchronised {
      if let length = store.streams[theirs].pendingSYNData, tcp.flags.contains(.syn) {
        let upTo = tcp.acknowledgement.distance(from: store.streams[theirs].base)
        store.streams[theirs].resolveSYNData(wasTaken: upTo >= length, &counters)
      }
      if !store.streams[theirs].acknowledge(tcp.acknowledgement, window: limits.window) {
        counters.count(.ignoredACK)
      }
    } else if store.flows[slot].seenFromStart {
      // The peer's SYN was not captured: what it acknowledges first is where the stream begins.
      store.streams[theirs].synchronise(at: tcp.acknowledgement)
    }
  }

  private mutating func feedPayload(
    _ slot: Int, _ ours: Int, _ tcp: TCPView, _ frame: borrowing CapturedFrame
  ) {
    let sequence = tcp.dataSequence
    // A single byte must not set where a stream begins that was not seen from the start.
    if tcp.flags.isDisjoint(with: [.syn, .fin, .rst]),
      store.streams[ours].isKeepAlive(sequence, length: tcp.length)
        || (tcp.length == 1 && !store.streams[ours].isSynchronised)
    {
      counters.count(.tcpKeepAlive)
      counters.bytes.keepAlive += tcp.captured
      return
    }
    guard tcp.length > 0 else { return counters.count(.tcpControl) }
    counters.count(.tcpData)
    guard !tcp.flags.contains(.rst) else {
      // RFC 9293 §3.5.3: a RST may carry text that says why; it is not part of the stream.
      counters.bytes.resetText += tcp.captured
      return
    }
    // No slice where the snap length cut off the header's options and everything behind them.
    let start = frame.bytes.readerIndex + tcp.payload
    let payload = frame.bytes.getSlice(at: start, length: tcp.captured) ?? ByteBuffer()
    if tcp.flags.contains(.syn), !tcp.flags.contains(.ack) {
      if tcp.missing == 0, store.streams[ours].holdSYNData(payload, time: frame.at) {
        counters.bytes.held += tcp.captured
      } else {
        counters.bytes.retransmitted += tcp.captured
      }
      return
    }
    if !store.streams[ours].isSynchronised { store.streams[ours].synchronise(at: sequence) }
    store.streams[ours].append(
      payload, missing: tcp.missing, at: sequence, time: frame.at, &counters)
  }
}
