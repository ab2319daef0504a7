import Basics
import NIOCore

/// What a direction keeps while something of it is missing or open; most directions have none most of the time.
///
/// One reference, owned by one `StreamAssembler`: the assembler stays small, so that a silent flow costs little.
final class Waiting {
  /// Why a wait may be over.
  enum Cause {
    /// The peer has acknowledged what is missing: only the capture lost it.
    case acknowledged
    /// Nothing is known of the beginning; a capture may hold the first segments out of order.
    case start
    /// The peer is not in the capture.
    case oneSided
    /// A RST was seen.
    case reset
  }

  /// What speaks for the end of a wait, and since when.
  struct Evidence {
    var cause: Cause
    var hole: Int
    var upTo: Int
    var since: Clock
  }

  /// How a direction is about to end.
  struct Closing {
    var how: FlowEnding
    var at: Timestamp
    /// The end of what was known of the stream then; data beyond shows that it goes on.
    var limit: Int
    /// Whether this direction sent the RST.
    var isSender: Bool
    /// No more waiting.
    var isDue: Bool
  }

  /// A block at `next` that did not have to wait.
  var ready: HeldBlocks.Block?
  var held = HeldBlocks()
  /// Data of a SYN, until the handshake shows whether the peer took it (RFC 7413).
  var synData: HeldBlocks.Block?
  var fin: (offset: Int, at: Timestamp)?
  var closing: Closing?
  /// True while bytes below the first ones seen are still awaited; offset 0 is not final then.
  var isStartOpen = false
  /// Bytes below are given up.
  var giveUpTo = Int.min
  var giveUpAt = Timestamp(nanoseconds: 0)
  var evidence: Evidence?
  var foreignNext = SequenceNumber(0)
  var foreignRun = 0
  /// Kept by the owner: the part of `charge` that is in its total, and whether a timer is set.
  var accounted = 0
  var isWatched = false

  /// What is charged for this object and its array, once it holds something.
  private static let overhead = 384

  /// What is held, in bytes and buffers.
  var charge: Int {
    let bytes = held.charge + (synData?.charge ?? 0)
    return bytes == 0 ? 0 : bytes + Waiting.overhead
  }

  /// Whether nothing is missing or open.
  func isOver(at next: Int) -> Bool {
    ready == nil && held.isEmpty && synData == nil && fin == nil && closing == nil && !isStartOpen
      && giveUpTo <= next && evidence == nil && foreignRun == 0 && accounted == 0 && !isWatched
  }
}

/// The three clocks of patience: capture time, segments of a flow, packets of the capture.
struct Clock {
  var time: Timestamp
  var segments: Int
  var packets: Int
}
