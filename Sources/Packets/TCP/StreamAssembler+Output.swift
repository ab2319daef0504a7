import Basics
import NIOCore

extension StreamAssembler {
  /// Returns what the direction says next; `nil` until more comes.
  mutating func takeOutput() -> Output? {
    guard !isEnded, let waiting else { return nil }
    if let block = waiting.ready {
      waiting.ready = nil
      return deliver(block)
    }
    guard !waiting.isStartOpen else { return nil }
    if waiting.held.start == next, let block = waiting.held.popFirst() { return deliver(block) }
    if next < waiting.giveUpTo {
      var target = waiting.giveUpTo
      var time = waiting.giveUpAt
      if let above = waiting.held.first, above.offset <= target {
        target = above.offset
        time = above.at
      }
      let count = target - next
      next = target
      return .gap(count, at: time, truncated: false)
    }
    if let fin = waiting.fin, fin.offset <= next { return end(.fin, fin.at) }
    if let closing = waiting.closing, closing.isDue { return end(closing.how, closing.at) }
    return nil
  }

  /// When the bytes were captured that come next, if they are there.
  var readyAt: Timestamp? {
    guard !isEnded, let waiting, !waiting.isStartOpen else { return nil }
    if let block = waiting.ready { return block.at }
    return waiting.held.start == next ? waiting.held.first?.at : nil
  }

  private mutating func end(_ how: FlowEnding, _ time: Timestamp) -> Output {
    isEnded = true
    wasReset = how == .reset
    return .ended(how, at: time)
  }

  private mutating func deliver(_ block: HeldBlocks.Block) -> Output {
    next = block.end
    guard let bytes = block.bytes else {
      return .gap(block.count, at: block.at, truncated: true)
    }
    return .bytes(bytes, at: block.at)
  }

  // MARK: Patience

  /// Whether bytes are still awaited that the peer has acknowledged, or kept until the stream's beginning is settled.
  ///
  /// What the peer sends after it has taken them is an answer to them: saying that first would turn cause and effect
  /// around, so it waits as well.
  var owesAcknowledged: Bool {
    guard acknowledged > next, isSynchronised, !isEnded else { return false }
    if isStartOpen { return acknowledged > 0 && waiting?.held.start != nil }
    let target = min(acknowledged, knownEnd)
    guard let waiting else { return target > next }
    return target > max(waiting.held.contiguousEnd(from: next), waiting.giveUpTo)
  }

  /// Turns all holes into gaps; the direction goes on.
  mutating func giveUpHoles(_ time: Timestamp) {
    if isStartOpen { settleStart() }
    giveUp(to: knownEnd, time)
  }

  func giveUp(to offset: Int, _ time: Timestamp) {
    guard let waiting else { return }
    let upTo = min(offset, waiting.fin?.offset ?? .max)
    guard upTo > waiting.giveUpTo else { return }
    waiting.giveUpTo = upTo
    waiting.giveUpAt = time
  }

  /// The end of what is known to exist. One acknowledged byte alone is more likely a FIN that was not captured.
  private var knownEnd: Int {
    if let fin = waiting?.fin { return fin.offset }
    let seen = highest
    return acknowledged > seen + 1 ? acknowledged : seen
  }

  /// Whether bytes are missing that are known to exist.
  private var hasHole: Bool { isSynchronised && !isEnded && knownEnd > next }

  /// Decides whether to give up missing bytes; returns true when there is output again.
  mutating func review(
    _ clock: Clock, limits: FlowLimits, _ counters: inout PacketCounters
  ) -> Bool {
    // Acknowledged bytes at the end may be missing although nothing waits.
    guard !isEnded, waiting != nil || hasHole else { return false }
    let wait = waits()
    waiting = wait
    if wait.charge > limits.heldPerDirection, let start = wait.held.start {
      counters.count(.heldLimit)
      if wait.isStartOpen { settleStart() }
      giveUp(to: wait.held.start ?? start, clock.time)
      if wait.giveUpTo > next || wait.held.start == next { return true }
    }
    if wait.closing != nil { return reviewClosing(wait, clock) }
    if wait.isStartOpen {
      note(wait, .start, upTo: 0, clock)
      guard isOver(wait, clock) else { return false }
      settleStart()
      return true
    }
    guard hasHole else {
      wait.evidence = nil
      return false
    }
    let lost = min(acknowledged, knownEnd)
    if lost > next {
      note(wait, .acknowledged, upTo: lost, clock)
    } else if !isPeerHeard {
      note(wait, .oneSided, upTo: knownEnd, clock)
    } else {
      wait.evidence = nil
    }
    if let known = wait.evidence, isOver(wait, clock) { giveUp(to: known.upTo, clock.time) }
    return wait.giveUpTo > next
  }

  /// A RST ends the direction when nothing has followed it for a while.
  private mutating func reviewClosing(_ wait: Waiting, _ clock: Clock) -> Bool {
    if wait.closing?.isDue == true { return false }
    note(wait, .reset, upTo: 0, clock, isForEveryHole: true)
    guard isOver(wait, clock) else { return false }
    expedite(clock.time)
    return true
  }

  /// Begins to wait for a cause, unless that has begun for this hole.
  private func note(
    _ wait: Waiting, _ cause: Waiting.Cause, upTo: Int, _ clock: Clock,
    isForEveryHole: Bool = false
  ) {
    if let known = wait.evidence, known.cause == cause, isForEveryHole || known.hole == next {
      return
    }
    wait.evidence = Waiting.Evidence(cause: cause, hole: next, upTo: upTo, since: clock)
  }

  private func isOver(_ wait: Waiting, _ clock: Clock) -> Bool {
    guard let evidence = wait.evidence else { return false }
    let elapsed = clock.time - evidence.since.time
    let isManySegments =
      clock.segments - evidence.since.segments >= Patience.acknowledgedHoleSegments
    switch evidence.cause {
    case .oneSided: return elapsed >= Patience.oneSidedHole
    case .reset: return isManySegments || elapsed >= Patience.reset
    case .acknowledged, .start:
      let isManyPackets =
        clock.packets - evidence.since.packets >= Patience.acknowledgedHolePackets
      let quiet = evidence.cause == .start ? Patience.quietStart : Patience.quietHole
      return isManySegments || elapsed >= quiet
        || isManyPackets && elapsed >= Patience.acknowledgedHole
    }
  }
}
