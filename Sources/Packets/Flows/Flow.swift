import Basics
import NIOCore

/// A connection: one epoch of a pair of endpoints.
///
/// Kept small, a hundred thousand are remembered: what only some need is in `Backlog` and `Waiting`.
struct Flow {
  /// What a flow is waiting for.
  enum Stage: UInt8, CaseIterable {
    /// A SYN was seen and no data; a flood of them must not push out others.
    case opening
    /// Packets were seen lately.
    case active
    /// Silent for so long that its holes were given up.
    case dormant
    /// Both directions have ended.
    case closed
  }

  /// Events kept back until it is known who the client is.
  final class Backlog {
    var outputs: [(Side, StreamAssembler.Output)] = []
    var bytes = 0
  }

  /// What became of a segment that was given to a flow for which nothing waits.
  enum Advance {
    /// Not the next one: it needs a closer look.
    case none
    case taken(FlowID, Direction)
  }

  var low = StreamAssembler()
  var high = StreamAssembler()
  let key: FlowKey
  let id: FlowID
  let openedAt: Timestamp
  var lastSeen: Timestamp
  /// When it was made the most recent of its stage; may lag `lastSeen`.
  var movedAt: Timestamp
  var backlog: Backlog?
  var segments: UInt32 = 0
  var previous: Int32 = -1
  var following: Int32 = -1
  var stage = Stage.opening
  /// Who dialled, once that is known.
  var client: Side?
  var seenFromStart: Bool

  init(id: FlowID, key: FlowKey, at: Timestamp, now: Timestamp, fromStart: Bool) {
    self.id = id
    self.key = key
    openedAt = at
    lastSeen = now
    movedAt = now
    seenFromStart = fromStart
    if !fromStart { backlog = Backlog() }
  }

  var isClosed: Bool { low.isEnded && high.isEnded }

  /// Whether only a late packet could still belong to it.
  var isOver: Bool { (low.isEnded || low.isClosing) && (high.isEnded || high.isClosing) }

  /// What both directions hold.
  var charge: Int { low.charge + high.charge + (backlog?.bytes ?? 0) }

  subscript(_ side: Side) -> StreamAssembler {
    @inline(__always) _read { if side == .low { yield low } else { yield high } }
    @inline(__always) _modify { if side == .low { yield &low } else { yield &high } }
  }

  /// Takes a plain segment that is the next of its direction in a flow where nothing waits.
  @inline(__always)
  mutating func advance(_ side: Side, _ tcp: TCPView, now: Timestamp) -> Advance {
    guard tcp.flags.isPlain, tcp.missing == 0, tcp.captured <= Flow.largestSegment,
      stage == .active, let client
    else { return .none }
    if side == .low {
      guard Flow.advance(&low, &high, tcp) else { return .none }
    } else {
      guard Flow.advance(&high, &low, tcp) else { return .none }
    }
    lastSeen = now
    segments &+= 1
    return .taken(id, side == client ? .c2s : .s2c)
  }

  /// What IP's length field allows.
  static let largestSegment = 65_535

  @inline(__always)
  private static func advance(
    _ ours: inout StreamAssembler, _ theirs: inout StreamAssembler, _ tcp: TCPView
  ) -> Bool {
    // Nothing is changed unless both agree: what is acknowledged is harmless to note first.
    ours.isPlain && theirs.acknowledgeDelivered(tcp.acknowledgement)
      && ours.advance(at: tcp.sequence, by: tcp.captured)
  }
}
