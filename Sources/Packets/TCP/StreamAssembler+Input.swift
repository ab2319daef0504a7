import Basics
import NIOCore

extension StreamAssembler {
  /// Takes a segment's bytes and the count of those cut off behind them.
  ///
  /// - Parameter mustWait: Whether they can't be said at once even if they are the next.
  mutating func append(
    _ bytes: ByteBuffer, missing: Int, at sequence: SequenceNumber, time: Timestamp,
    mustWait: Bool, _ counters: inout PacketCounters
  ) {
    let count = bytes.readableBytes
    let start = offset(of: sequence)
    waiting?.foreignRun = 0
    guard !isEnded else {
      if start + count <= next {
        counters.bytes.retransmitted += count
      } else {
        counters.bytes.afterEnd += count
      }
      return
    }
    let wait = waits()
    waiting = wait
    if let closing = wait.closing { wait.closing?.at = max(closing.at, time) }
    if !mustWait, start == next, missing == 0, count > 0, wait.ready == nil,
      start + count <= min(wait.held.start ?? .max, wait.fin?.offset ?? .max)
    {
      wait.ready = HeldBlocks.Block(offset: start, count: count, bytes: bytes, at: time)
      counters.bytes.held += count
      return
    }
    if count > 0 {
      hold(HeldBlocks.Block(offset: start, count: count, bytes: bytes, at: time), wait, &counters)
    }
    if missing > 0 {
      hold(
        HeldBlocks.Block(offset: start + count, count: missing, bytes: nil, at: time), wait,
        &counters)
    }
  }

  /// Trims a block to what the stream still wants, holds that and counts the rest.
  private func hold(
    _ block: HeldBlocks.Block, _ wait: Waiting, _ counters: inout PacketCounters
  ) {
    let from = min(max(block.offset, next), block.end)
    let upTo = max(from, min(block.end, wait.fin?.offset ?? .max))
    let beforeStart = max(0, min(from, 0) - block.offset)
    let insertion = wait.held.insert(block, from..<upTo)
    guard block.bytes != nil else { return }
    let duplicate = insertion.duplicate + from - block.offset - beforeStart
    counters.bytes.held += insertion.added
    counters.bytes.beforeStart += beforeStart
    counters.bytes.afterEnd += block.end - upTo
    if insertion.added == 0 {
      counters.bytes.retransmitted += duplicate
    } else {
      counters.bytes.overlap += duplicate
    }
    if insertion.isConflict { counters.count(.overlapConflict) }
  }

  /// Notes a segment far from the window; returns true when so many in a row fit together that the stream must have
  /// moved there.
  mutating func noteForeign(_ sequence: SequenceNumber, length: Int) -> Bool {
    let wait = waits()
    waiting = wait
    wait.foreignRun = sequence == wait.foreignNext ? wait.foreignRun + 1 : 1
    wait.foreignNext = sequence + length
    return wait.foreignRun >= Patience.foreignSegments
  }

  /// Gives up everything below `sequence`, which lies ahead of the window.
  mutating func jump(to sequence: SequenceNumber, time: Timestamp) {
    if isStartOpen { settleStart() }
    giveUp(to: offset(of: sequence), time)
  }

  // MARK: Ends

  /// Notes where the stream ends: the FIN comes after the byte before `sequence`.
  mutating func finish(
    at sequence: SequenceNumber, time: Timestamp, _ counters: inout PacketCounters
  ) {
    guard !isEnded else { return counters.count(.ignoredFIN) }
    let offset = offset(of: sequence)
    let wait = waits()
    if let fin = wait.fin, fin.offset == offset { return }
    guard wait.fin == nil, offset >= highest, offset >= wait.giveUpTo else {
      return counters.count(.ignoredFIN)
    }
    wait.fin = (offset, time)
    waiting = wait
  }

  /// Notes that a RST ends the direction, once nothing more comes.
  ///
  /// - Parameter sequence: The RST's number; nil in the direction that did not send it.
  mutating func reset(at sequence: SequenceNumber?, time: Timestamp) {
    let wait = waits()
    guard !isEnded, wait.closing == nil else { return }
    var limit = isSynchronised ? highest : 0
    if let sequence, isSynchronised { limit = max(limit, offset(of: sequence)) }
    wait.closing = Waiting.Closing(
      how: .reset, at: time, limit: limit, isSender: sequence != nil, isDue: false)
    waiting = wait
  }

  /// Returns whether bytes up to `sequence` are more than there were when a RST was seen, and lets it wait again.
  mutating func goesOn(to sequence: SequenceNumber) -> Bool {
    guard let waiting, let closing = waiting.closing, isSynchronised else { return false }
    guard offset(of: sequence) > closing.limit else { return false }
    if waiting.evidence?.cause == .reset { waiting.evidence = nil }
    return true
  }

  /// Whether a RST was seen and the direction has not ended yet.
  var isClosing: Bool { waiting?.closing != nil }

  /// Whether this direction sent the RST that was seen.
  var hasSentReset: Bool { waiting?.closing?.isSender ?? false }

  /// Forgets a RST that was forged.
  mutating func reopen() {
    waiting?.closing = nil
    waiting?.evidence = nil
  }

  /// Ends the direction once what is held has been delivered; its holes become gaps.
  mutating func close(_ how: FlowEnding, time: Timestamp, _ counters: inout PacketCounters) {
    guard !isEnded else { return }
    resolveSYNData(wasTaken: false, &counters)
    let wait = waits()
    waiting = wait
    wait.closing =
      wait.closing
      ?? Waiting.Closing(how: how, at: time, limit: 0, isSender: false, isDue: false)
    expedite(time)
  }

  /// Ends the wait of a direction that is closing.
  mutating func expedite(_ time: Timestamp) {
    giveUpHoles(time)
    waiting?.closing?.isDue = true
  }

  // MARK: Data of a SYN

  /// Holds the data of a SYN; returns false when there is some already or the stream has begun.
  mutating func holdSYNData(_ bytes: ByteBuffer, time: Timestamp) -> Bool {
    guard waiting == nil, next == 0, !isEnded else { return false }
    let wait = Waiting()
    wait.synData = HeldBlocks.Block(
      offset: 0, count: bytes.readableBytes, bytes: HeldBlocks.copy(bytes), at: time)
    waiting = wait
    return true
  }

  /// Length of the SYN's data that is waiting for an answer; `nil` without such data.
  var pendingSYNData: Int? { waiting?.synData?.count }

  /// Makes the SYN's data part of the stream, or drops it.
  mutating func resolveSYNData(wasTaken: Bool, _ counters: inout PacketCounters) {
    guard let waiting, let block = waiting.synData else { return }
    waiting.synData = nil
    counters.bytes.held -= block.count
    if wasTaken {
      hold(block, waiting, &counters)
    } else {
      counters.bytes.synData += block.count
    }
  }
}
