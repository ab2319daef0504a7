import Basics
import NIOCore

/// Puts the segments of one direction of a TCP connection back in order.
///
/// Theory (RFC 9293 §3.4, §3.10.7): a segment is a range of the stream. Sequence numbers are unwrapped into 64-bit
/// offsets as signed distances from the next byte wanted, so a stream may be longer than 4 GiB. What lies at `next`
/// is delivered, what lies above waits in `held`, and the first copy of a byte wins. Missing bytes are waited for
/// until evidence says that the peer has them (`review`): then only the capture lost them, and they become a gap.
/// A FIN is a position in the stream, not an event: data may be captured after it.
///
/// Invariant: every held block lies at or above `next` and below `fin`; `nextSequence` is the sequence number of
/// `next`; `giveUpTo` and `next` never pass `fin`. Once ended, nothing is held and nothing more is said.
///
/// Legal transitions: unsynchronised -> synchronised -> closing -> ended, each at most once; FIN goes from
/// synchronised to ended when `next` reaches it. Wrong input: bytes before the start or behind the end are counted
/// and dropped, a second FIN is ignored and counted (peer's or capture's fault); appending to a direction that is
/// not synchronised is our bug.
struct StreamAssembler {
  /// What a direction says next.
  enum Output {
    case bytes(ByteBuffer, at: Timestamp)
    case gap(Int, at: Timestamp, truncated: Bool)
    case ended(FlowEnding, at: Timestamp)
  }

  /// Why a hole may be over, and since when.
  private struct Evidence {
    var hole: Int
    var upTo: Int
    var isAcknowledged: Bool
    var since: Timestamp
    var segments: Int
  }

  private(set) var isSynchronised = false
  private(set) var isEnded = false
  /// The sequence number of offset 0.
  private(set) var base = SequenceNumber(0)
  /// Offset of the next byte to deliver.
  private var next = 0
  private var nextSequence = SequenceNumber(0)
  /// A block at `next` that did not have to wait.
  private var ready: HeldBlocks.Block?
  private var held = HeldBlocks()
  /// Highest offset that the peer has acknowledged.
  private var acknowledged = 0
  /// False in a capture that has only this direction.
  private var isPeerHeard = false
  private var fin: (offset: Int, at: Timestamp)?
  private var closing: (how: FlowEnding, at: Timestamp)?
  private var giveUpTo = 0
  private var giveUpAt = Timestamp(nanoseconds: 0)
  private var evidence: Evidence?
  /// Data of a SYN, until the handshake shows whether the peer took it (RFC 7413).
  private var synData: HeldBlocks.Block?
  private var foreignNext = SequenceNumber(0)
  private var foreignRun = 0
  /// Kept by the owner: the part of `charge` that is in its total, and whether a timer is set.
  var accounted = 0
  var isWatched = false

  /// What is held, in bytes and buffers.
  var charge: Int { held.charge + (synData?.charge ?? 0) }

  /// The end of what was seen of the stream.
  private var highest: Int { held.end ?? ready?.end ?? next }

  /// The end of what is known to exist. One acknowledged byte alone is more likely a FIN that was not captured.
  private var knownEnd: Int {
    if let fin { return fin.offset }
    let seen = highest
    return acknowledged > seen + 1 ? acknowledged : seen
  }

  // MARK: Position

  /// Makes `sequence` the number of the stream's first byte.
  mutating func synchronise(at sequence: SequenceNumber) {
    isSynchronised = true
    base = sequence
    nextSequence = sequence
  }

  /// Moves the start of a stream that nobody has answered and that has brought nothing yet.
  mutating func resynchronise(at sequence: SequenceNumber) -> Bool {
    guard !isPeerHeard, next == 0, held.isEmpty, !isEnded, closing == nil else { return false }
    synchronise(at: sequence)
    return true
  }

  private func offset(of sequence: SequenceNumber) -> Int {
    next + sequence.distance(from: nextSequence)
  }

  /// Returns how far `sequence` lies from the next byte wanted, negative behind it.
  func distance(to sequence: SequenceNumber) -> Int { sequence.distance(from: nextSequence) }

  /// Returns whether a segment is a keep-alive probe: at most one byte, just below what was sent (RFC 9293 §3.8.4).
  func isKeepAlive(_ sequence: SequenceNumber, length: Int) -> Bool {
    isSynchronised && length <= 1 && offset(of: sequence) == highest - 1
  }

  /// Takes note of how far the peer has received; returns false for a number that cannot be meant.
  mutating func acknowledge(_ sequence: SequenceNumber, window: Int) -> Bool {
    let offset = offset(of: sequence)
    guard offset <= highest + window else { return false }
    isPeerHeard = true
    if offset > acknowledged { acknowledged = offset }
    return true
  }

  /// Returns whether a RST with this number is one that its receiver obeys (RFC 9293 §3.10.7.4).
  func isResetAcceptable(_ sequence: SequenceNumber, window: Int) -> Bool {
    guard isSynchronised else { return true }
    let offset = offset(of: sequence)
    return offset >= min(acknowledged, next) && offset <= highest + window
  }

  // MARK: Input

  /// Takes a segment's bytes and the count of those cut off behind them.
  mutating func append(
    _ bytes: ByteBuffer, missing: Int, at sequence: SequenceNumber, time: Timestamp,
    _ counters: inout PacketCounters
  ) {
    let count = bytes.readableBytes
    let start = offset(of: sequence)
    foreignRun = 0
    guard !isEnded, closing == nil else {
      if start + count <= next {
        counters.bytes.retransmitted += count
      } else {
        counters.bytes.afterEnd += count
      }
      return
    }
    if start == next, held.isEmpty, missing == 0, fin == nil, ready == nil, count > 0 {
      ready = HeldBlocks.Block(offset: start, count: count, bytes: bytes, at: time)
      counters.bytes.held += count
      return
    }
    if count > 0 {
      hold(HeldBlocks.Block(offset: start, count: count, bytes: bytes, at: time), &counters)
    }
    if missing > 0 {
      hold(
        HeldBlocks.Block(offset: start + count, count: missing, bytes: nil, at: time), &counters)
    }
  }

  /// Trims a block to what the stream still wants, holds that and counts the rest.
  private mutating func hold(_ block: HeldBlocks.Block, _ counters: inout PacketCounters) {
    let from = min(max(block.offset, next), block.end)
    let upTo = max(from, min(block.end, fin?.offset ?? .max))
    let beforeStart = max(0, min(from, 0) - block.offset)
    let insertion = held.insert(block, from..<upTo)
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
    foreignRun = sequence == foreignNext ? foreignRun + 1 : 1
    foreignNext = sequence + length
    return foreignRun >= Patience.foreignSegments
  }

  /// Gives up everything below `sequence`, which lies ahead of the window.
  mutating func jump(to sequence: SequenceNumber, time: Timestamp) {
    giveUp(to: offset(of: sequence), time)
  }

  /// Notes where the stream ends: the FIN comes after the byte before `sequence`.
  mutating func finish(
    at sequence: SequenceNumber, time: Timestamp, _ counters: inout PacketCounters
  ) {
    let offset = offset(of: sequence)
    if let fin, fin.offset == offset { return }
    guard fin == nil, !isEnded, offset >= highest, offset >= giveUpTo else {
      return counters.count(.ignoredFIN)
    }
    fin = (offset, time)
  }

  /// Ends the direction once what is held has been delivered; its holes become gaps.
  mutating func close(_ how: FlowEnding, time: Timestamp, _ counters: inout PacketCounters) {
    guard !isEnded, closing == nil else { return }
    resolveSYNData(wasTaken: false, &counters)
    closing = (how, time)
    giveUpHoles(time)
  }

  /// Turns all holes into gaps; the direction goes on.
  mutating func giveUpHoles(_ time: Timestamp) { giveUp(to: knownEnd, time) }

  private mutating func giveUp(to offset: Int, _ time: Timestamp) {
    let upTo = min(offset, fin?.offset ?? .max)
    guard upTo > giveUpTo else { return }
    giveUpTo = upTo
    giveUpAt = time
  }

  // MARK: Data of a SYN

  /// Holds the data of a SYN; returns false when there is some already or the stream has begun.
  mutating func holdSYNData(_ bytes: ByteBuffer, time: Timestamp) -> Bool {
    guard synData == nil, next == 0, held.isEmpty, !isEnded, closing == nil else { return false }
    synData = HeldBlocks.Block(offset: 0, count: bytes.readableBytes, bytes: bytes, at: time)
    return true
  }

  /// Length of the SYN's data that is waiting for an answer; `nil` without such data.
  var pendingSYNData: Int? { synData?.count }

  /// Makes the SYN's data part of the stream, or drops it.
  mutating func resolveSYNData(wasTaken: Bool, _ counters: inout PacketCounters) {
    guard let block = synData else { return }
    synData = nil
    counters.bytes.held -= block.count
    if wasTaken {
      hold(block, &counters)
    } else {
      counters.bytes.synData += block.count
    }
  }

  // MARK: Output

  /// Returns what the direction says next; `nil` until more comes.
  mutating func takeOutput() -> Output? {
    if let block = ready {
      ready = nil
      return deliver(block)
    }
    guard !isEnded else { return nil }
    if held.start == next, let block = held.popFirst() { return deliver(block) }
    if next < giveUpTo {
      var target = giveUpTo
      var time = giveUpAt
      if let above = held.first, above.offset <= target {
        target = above.offset
        time = above.at
      }
      let count = target - next
      advance(count)
      return .gap(count, at: time, truncated: false)
    }
    if let fin, fin.offset <= next { return end(fin: fin.at) }
    if let closing {
      isEnded = true
      return .ended(closing.how, at: closing.at)
    }
    return nil
  }

  private mutating func end(fin time: Timestamp) -> Output {
    isEnded = true
    return .ended(.fin, at: time)
  }

  private mutating func deliver(_ block: HeldBlocks.Block) -> Output {
    advance(block.count)
    guard let bytes = block.bytes else {
      return .gap(block.count, at: block.at, truncated: true)
    }
    return .bytes(bytes, at: block.at)
  }

  private mutating func advance(_ count: Int) {
    next += count
    nextSequence = nextSequence + count
  }

  // MARK: Patience

  /// Whether bytes are missing that are known to exist.
  private var hasHole: Bool { isSynchronised && !isEnded && knownEnd > next }

  /// Whether time alone can end the wait for a hole.
  var hasEvidence: Bool { evidence != nil }

  /// Decides whether to give up missing bytes; returns true when there is output again.
  ///
  /// - Parameter segments: how many segments the flow has had.
  mutating func review(
    now: Timestamp, segments: Int, limits: FlowLimits, _ counters: inout PacketCounters
  ) -> Bool {
    guard hasHole else {
      evidence = nil
      return false
    }
    if charge > limits.heldPerDirection, let start = held.start {
      counters.count(.heldLimit)
      giveUp(to: start, now)
    }
    if let known = evidence, known.hole != next { evidence = nil }
    let lost = min(acknowledged, knownEnd)
    if lost > next {
      if evidence?.isAcknowledged != true {
        evidence = Evidence(
          hole: next, upTo: lost, isAcknowledged: true, since: now, segments: segments)
      }
    } else if let fin, evidence == nil, !isPeerHeard {
      evidence = Evidence(
        hole: next, upTo: fin.offset, isAcknowledged: false, since: now, segments: segments)
    }
    if let known = evidence, isOver(known, now, segments) { giveUp(to: known.upTo, now) }
    return giveUpTo > next
  }

  private func isOver(_ evidence: Evidence, _ now: Timestamp, _ segments: Int) -> Bool {
    guard evidence.isAcknowledged else { return now - evidence.since >= Patience.finishedHole }
    return now - evidence.since >= Patience.acknowledgedHole
      || segments - evidence.segments >= Patience.acknowledgedHoleSegments
  }
}
