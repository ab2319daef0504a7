import Basics
import NIOCore

extension FlowTable {
  /// Takes a TCP segment to its flow.
  @inline(__always)
  mutating func take(
    _ frame: borrowing CapturedFrame, _ bytes: Span<UInt8>, _ ip: IPView, _ tcp: TCPView
  ) {
    guard ports.isEmpty || ports.contains(tcp.sourcePort) || ports.contains(tcp.destinationPort)
    else { return counters.count(.filtered) }
    counters.payloadBytesIn += tcp.captured
    let (key, side) = FlowKey.of(ip, tcp)
    if recent.isDuplicate(bytes, ip, tcp, store.seed, at: frame.at) {
      counters.count(.duplicate)
      counters.bytes.duplicate += tcp.captured
      return
    }
    let known = store.find(key)
    if let slot = known {
      switch store.flows[slot].advance(side, tcp, now: now) {
      case .none: break
      case .taken(let id, let direction):
        store.touch(slot, now)
        return pass(frame, tcp, id, direction)
      }
    }
    takeSlowly(frame, key, side, tcp, known)
  }

  /// Passes a payload on as a slice of the frame.
  @inline(__always)
  private mutating func pass(
    _ frame: borrowing CapturedFrame, _ tcp: TCPView, _ id: FlowID, _ direction: Direction
  ) {
    guard tcp.captured > 0,
      let bytes = frame.bytes.getSlice(
        at: frame.bytes.readerIndex + tcp.payload, length: tcp.captured)
    else {
      counters.controlPackets += 1
      return
    }
    counters.dataPackets += 1
    counters.bytes.delivered += tcp.captured
    if events.isEmpty {
      latest = Latest(id: id, direction: direction, bytes: bytes, at: frame.at)
    } else {
      events.append(.bytes(id, direction, bytes, at: frame.at))
    }
  }

  @inline(never)
  private mutating func takeSlowly(
    _ frame: borrowing CapturedFrame, _ key: FlowKey, _ side: Side, _ tcp: TCPView, _ found: Int?
  ) {
    if tcp.length > Flow.largestSegment { counters.count(.giant) }
    if tcp.flags.contains(.urg), tcp.length > 0 { counters.count(.urgent) }
    var known = found
    if let slot = known {
      switch epoch(slot, side, tcp) {
      case .same: break
      case .new:
        retire(slot, .idle)
        known = nil
      case .ignored:
        counters.count(tcp.length > 0 ? .tcpData : .tcpControl)
        counters.bytes.outOfWindow += tcp.captured
        return
      }
    }
    guard let slot = known ?? open(key, side, tcp, frame) else { return countStray(tcp) }
    store.flows[slot].lastSeen = now
    store.flows[slot].segments &+= 1
    store.flows[slot][side].isHeard = true
    feed(slot, side, tcp, frame)
    drainBoth(slot, side)
    if store.flows[slot].isClosed {
      classify(slot)
    } else {
      let isOpening = store.flows[slot].stage == .opening && tcp.length == 0
      store.move(slot, to: isOpening ? .opening : .active)
    }
    if held > limits.heldInTotal { relieve() }
  }

  /// Counts a segment that belongs to no flow and opens none.
  private mutating func countStray(_ tcp: TCPView) {
    if isProbe(tcp) {
      counters.count(.tcpKeepAlive)
      counters.bytes.keepAlive += tcp.captured
    } else {
      counters.count(tcp.length > 0 ? .tcpData : .tcpControl)
      counters.bytes.outsideFlow += tcp.captured
    }
  }

  /// Gives a segment's parts to the two directions: position, acknowledgement, bytes, FIN, RST.
  private mutating func feed(
    _ slot: Int, _ side: Side, _ tcp: TCPView, _ frame: borrowing CapturedFrame
  ) {
    let isReset = tcp.flags.contains(.rst)
    if tcp.flags.contains(.syn), !isReset { begin(slot, side, tcp) }
    if tcp.flags.contains(.ack), !isReset { acknowledge(slot, side.other, tcp) }
    if !isReset { noticeLife(slot, side, tcp) }
    if tcp.flags.isDisjoint(with: [.syn, .rst]), tcp.length > 0 || tcp.flags.contains(.fin),
      let length = store.flows[slot][side].pendingSYNData
    {
      // The SYN/ACK was not captured: a sender that goes on behind the SYN's data knows that it arrived.
      let goesOn = tcp.sequence.distance(from: store.flows[slot][side].base) >= length
      store.flows[slot][side].resolveSYNData(wasTaken: goesOn, &counters)
    }
    if tcp.length > 0 || tcp.flags.isDisjoint(with: [.syn, .fin, .rst]) {
      feedPayload(slot, side, tcp, frame)
    } else {
      counters.count(.tcpControl)
    }
    if isReset {
      guard
        store.flows[slot][side].isResetAcceptable(tcp.sequence, window: limits.window)
      else { return counters.count(.ignoredRST) }
      store.flows[slot][side].reset(at: tcp.sequence, time: frame.at)
      store.flows[slot][side.other].reset(at: nil, time: frame.at)
    } else if tcp.flags.contains(.fin) {
      let end = tcp.dataSequence + tcp.length
      if !store.flows[slot][side].isSynchronised {
        store.flows[slot][side].synchronise(at: end, isStartOpen: true)
      }
      store.flows[slot][side].finish(at: end, time: frame.at, &counters)
    }
  }

  /// A SYN says where its direction begins; one that comes late still does.
  private mutating func begin(_ slot: Int, _ side: Side, _ tcp: TCPView) {
    if !store.flows[slot][side].isSynchronised {
      store.flows[slot][side].synchronise(at: tcp.dataSequence)
    } else if store.flows[slot][side].settle(at: tcp.dataSequence),
      store.flows[slot].client == nil
    {
      store.flows[slot].seenFromStart = true
      settle(tcp.flags.contains(.ack) ? side.other : side, slot)
    }
  }

  private mutating func acknowledge(_ slot: Int, _ side: Side, _ tcp: TCPView) {
    if store.flows[slot][side].isSynchronised {
      if let length = store.flows[slot][side].pendingSYNData, tcp.flags.contains(.syn) {
        let upTo = tcp.acknowledgement.distance(from: store.flows[slot][side].base)
        store.flows[slot][side].resolveSYNData(wasTaken: upTo >= length, &counters)
      }
      if !store.flows[slot][side].acknowledge(tcp.acknowledgement, window: limits.window) {
        counters.count(.ignoredACK)
      }
    } else if store.flows[slot].seenFromStart {
      // The peer's SYN was not captured: the stream begins with what is acknowledged first, or below. Who has said nothing
      // yet acknowledges the SYN (a server that speaks first does not speak HTTP).
      let peer = store.flows[slot][side.other]
      let isFirst = peer.isSynchronised && peer.highest == 0 && tcp.sequence == peer.base
      store.flows[slot][side].synchronise(
        at: tcp.acknowledgement, isStartOpen: !tcp.flags.contains(.syn) && !isFirst)
    }
  }

  /// Looks whether a flow goes on although a RST was seen: its sender sends or takes what came later.
  private mutating func noticeLife(_ slot: Int, _ side: Side, _ tcp: TCPView) {
    guard store.flows[slot].low.isClosing || store.flows[slot].high.isClosing else { return }
    let sentReset = store.flows[slot][side].hasSentReset
    let isData =
      tcp.length > 0
      && store.flows[slot][side].goesOn(to: tcp.dataSequence + tcp.length)
    let isTaken =
      sentReset && tcp.flags.contains(.ack)
      && store.flows[slot][side.other].goesOn(to: tcp.acknowledgement)
    if isData { counters.count(.dataAfterRST) }
    guard isTaken || isData && sentReset else { return }
    store.flows[slot].low.reopen()
    store.flows[slot].high.reopen()
  }

  private mutating func feedPayload(
    _ slot: Int, _ side: Side, _ tcp: TCPView, _ frame: borrowing CapturedFrame
  ) {
    let sequence = tcp.dataSequence
    if tcp.flags.isDisjoint(with: [.syn, .fin, .rst]),
      store.flows[slot][side].isKeepAlive(sequence, length: tcp.length)
        || isProbe(tcp) && !store.flows[slot][side].isSynchronised
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
      if tcp.missing == 0, store.flows[slot][side].holdSYNData(payload, time: frame.at) {
        counters.bytes.held += tcp.captured
      } else {
        counters.bytes.retransmitted += tcp.captured
      }
      return
    }
    if !store.flows[slot][side].isSynchronised {
      store.flows[slot][side].synchronise(at: sequence, isStartOpen: true)
    }
    store.flows[slot][side].append(
      payload, missing: tcp.missing, at: sequence, time: frame.at,
      mustWait: store.flows[slot][side.other].owesAcknowledged, &counters)
  }
}
