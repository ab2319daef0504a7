/// The bounds of reassembly; reaching one is counted under `limit.*`, never an error.
public struct FlowLimits: Sendable {
  /// Charge held above a hole in one direction before the hole is given up: 1 MiB, as Suricata's depth.
  ///
  /// A held segment is charged its bytes and 256 for its buffer, so that tiny segments count as what they cost.
  public var heldPerDirection = 1 << 20
  /// Charge held by all flows together before those that hold most give up: 64 MiB, Suricata's memcap.
  public var heldInTotal = 64 << 20
  /// Flows known at once; closed ones go first, then those silent for longest.
  public var flows = 100_000
  /// How far from the next byte a segment may lie and still belong to the stream: 16 MiB.
  public var window = 16 << 20

  /// Describes bounds; the defaults are for real captures, tests lower them.
  public init() {}

  /// The bounds for real captures.
  public static let `default` = FlowLimits()
}

/// Patience, in capture time (nanoseconds) and segments.
enum Patience {
  /// From the peer's ACK of bytes that are not there until they count as lost: reordered captures (several
  /// queues, mirror ports) heal within this.
  static let acknowledgedHole: Int64 = 50_000_000
  /// The same in segments of the flow, for captures whose clock stands still.
  static let acknowledgedHoleSegments = 64
  /// From a FIN above a hole in a capture without the peer's ACKs: several retransmissions come within this.
  static let finishedHole: Int64 = 10_000_000_000
  /// How long a closed flow is remembered, for late retransmissions: the usual TIME-WAIT.
  static let closed: Int64 = 60_000_000_000
  /// Silence after which a SYN with another number is a new connection, whatever it is.
  static let portReuse: Int64 = 60_000_000_000
  /// Silence after which holes of a flow are given up; the flow itself goes on (event streams are silent long).
  static let idle: Int64 = 600_000_000_000
  /// Segments in a row, each continuing the last, that move a stream to a far-away sequence number.
  static let foreignSegments = 4
  /// Events kept back while it is not known who the client is.
  static let unknownRole = 4
}
