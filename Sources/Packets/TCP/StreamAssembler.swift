import Basics
import NIOCore

/// Puts the segments of one direction of a TCP connection back in order.
///
/// Theory (RFC 9293 §3.4, §3.10.7): a segment is a range of the stream. Sequence numbers are unwrapped into 64-bit
/// offsets as signed distances from the next byte wanted, so a stream may be longer than 4 GiB. What lies at `next`
/// is delivered, what lies above waits in `held`, and the first copy of a byte wins. Missing bytes are waited for
/// until evidence says that the peer has them (`review`): then only the capture lost them, and they become a gap.
/// A FIN is a position in the stream, not an event: data may be captured after it. A RST is one with patience: data
/// that was under way may follow it, and data that goes on beyond it shows that it was forged.
///
/// A stream whose SYN was not captured begins with the lowest byte that comes within the same patience: until then
/// `next` lies a window below the first byte seen, and what is between is no hole.
///
/// Invariant: `waiting` is nil when nothing waits; every held block lies at or above `next` and below the FIN; `base` is
/// the sequence number of offset 0. Once ended, nothing is held and nothing more is said.
///
/// Legal transitions: unsynchronised -> synchronised -> closing -> ended, each at most once, but closing may go back;
/// FIN goes from synchronised to ended when `next` reaches it. Wrong input: bytes before the start or behind the end
/// are counted and dropped, a second FIN is ignored and counted (peer's or capture's fault); appending to a direction
/// that is not synchronised is our bug.
struct StreamAssembler {
  /// What a direction says next.
  enum Output {
    case bytes(ByteBuffer, at: Timestamp)
    case gap(Int, at: Timestamp, truncated: Bool)
    case ended(FlowEnding, at: Timestamp)
  }

  var waiting: Waiting?
  /// Offset of the next byte to deliver.
  var next = 0
  /// Highest offset that the peer has acknowledged.
  var acknowledged = 0
  /// The sequence number of offset 0.
  private(set) var base = SequenceNumber(0)
  private(set) var isSynchronised = false
  var isEnded = false
  /// Whether a RST ended it.
  var wasReset = false
  /// Whether a packet of this direction was captured.
  var isHeard = false
  /// False in a capture that has only this direction.
  private(set) var isPeerHeard = false

  /// How far below the first byte seen an earlier one may lie while the start is open.
  static let startWindow = 16 << 20

  /// What is held, in bytes and buffers.
  var charge: Int { waiting?.charge ?? 0 }

  /// Whether a timer is set.
  var isWatched: Bool { waiting?.isWatched ?? false }

  var nextSequence: SequenceNumber { base + next }

  /// Whether segments can be taken as they come: nothing waits.
  var isPlain: Bool { isSynchronised && !isEnded && waiting == nil }

  /// The end of what was seen of the stream.
  var highest: Int {
    guard let waiting else { return next }
    let seen = waiting.held.end ?? waiting.ready?.end ?? next
    return waiting.isStartOpen ? max(0, seen) : seen
  }

  /// Returns what waits, which the caller is about to give something.
  func waits() -> Waiting { waiting ?? Waiting() }

  // MARK: Position

  /// Makes `sequence` the number of the stream's first byte; a start that stays open may move down.
  mutating func synchronise(at sequence: SequenceNumber, isStartOpen: Bool = false) {
    isSynchronised = true
    base = sequence
    next = 0
    acknowledged = 0
    guard isStartOpen else { return }
    let wait = waits()
    wait.isStartOpen = true
    waiting = wait
    next = -StreamAssembler.startWindow
  }

  /// Moves the start of a stream that nobody has answered and that has brought nothing yet.
  mutating func resynchronise(at sequence: SequenceNumber) -> Bool {
    guard !isPeerHeard, next == 0, !isEnded, waiting == nil else { return false }
    synchronise(at: sequence)
    return true
  }

  /// Whether the start is open.
  var isStartOpen: Bool { waiting?.isStartOpen ?? false }

  /// Makes a SYN's number the start of a stream whose start is open; returns false when it does not fit.
  mutating func settle(at sequence: SequenceNumber) -> Bool {
    guard let waiting, waiting.isStartOpen else { return false }
    let start = offset(of: sequence)
    guard start >= next, start <= waiting.held.start ?? 0 else { return false }
    settle(shift: start)
    return true
  }

  /// Ends the wait for earlier bytes: the stream begins with the lowest seen.
  mutating func settleStart() {
    settle(shift: min(waiting?.held.start ?? 0, 0))
  }

  private mutating func settle(shift: Int) {
    guard let waiting else { return }
    waiting.isStartOpen = false
    waiting.evidence = nil
    waiting.held.shift(by: shift)
    if let fin = waiting.fin { waiting.fin = (fin.offset - shift, fin.at) }
    waiting.closing?.limit -= shift
    base = base + shift
    acknowledged = max(0, acknowledged - shift)
    next = 0
  }

  func offset(of sequence: SequenceNumber) -> Int {
    next + sequence.distance(from: nextSequence)
  }

  /// Returns how far `sequence` lies from the next byte wanted, negative behind it.
  func distance(to sequence: SequenceNumber) -> Int {
    sequence.distance(from: base + max(next, 0))
  }

  /// Returns whether a segment is a keep-alive probe: at most one byte, just below what was sent (RFC 9293 §3.8.4).
  func isKeepAlive(_ sequence: SequenceNumber, length: Int) -> Bool {
    isSynchronised && length <= 1 && offset(of: sequence) == highest - 1
  }

  /// Takes a segment for which nothing has to wait; returns false when it is not the next one.
  @inline(__always)
  mutating func advance(at sequence: SequenceNumber, by count: Int) -> Bool {
    guard isPlain, sequence.value == base.value &+ UInt32(truncatingIfNeeded: next) else {
      return false
    }
    next += count
    isHeard = true
    return true
  }

  /// Takes note of an acknowledgement of bytes that were delivered; returns false for any other.
  @inline(__always)
  mutating func acknowledgeDelivered(_ sequence: SequenceNumber) -> Bool {
    let distance = sequence.distance(from: nextSequence)
    guard isPlain, distance <= 0 else { return false }
    acknowledged = max(acknowledged, next + distance)
    isPeerHeard = true
    return true
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
}
