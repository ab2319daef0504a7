/// Patience, in capture time (nanoseconds), segments of a flow and packets of the capture.
enum Patience {
  /// From the peer's ACK of bytes that are not there until they count as lost: reordered captures (several
  /// queues, mirror ports) heal within this.
  static let acknowledgedHole: Int64 = 50_000_000
  /// So many packets have to pass as well: a slow capture may be out of order by seconds, but not by many packets.
  static let acknowledgedHolePackets = 32
  /// So many segments of the flow are enough whatever the time, for captures whose clock stands still.
  static let acknowledgedHoleSegments = 64
  /// So much time is enough whatever the packets, for captures in which hardly anything happens.
  static let quietHole: Int64 = 60_000_000_000
  /// The same for bytes below the first ones seen of a stream.
  static let quietStart: Int64 = 1_000_000_000
  /// From a hole in a direction whose peer is not in the capture: retransmissions come within this.
  static let oneSidedHole: Int64 = 10_000_000_000
  /// From a RST until its flow is over: what was under way arrives within this, and forged ones show.
  static let reset: Int64 = 1_000_000_000
  /// How long a closed flow is remembered, for late retransmissions: the usual TIME-WAIT.
  static let closed: Int64 = 60_000_000_000
  /// Silence after which a SYN with another number is a new connection, whatever it is.
  static let portReuse: Int64 = 60_000_000_000
  /// Silence after which holes of a flow are given up; the flow itself goes on (event streams are silent long).
  static let idle: Int64 = 600_000_000_000
  /// How much a flow's place among the recently seen ones may lag: one move a second is enough.
  static let order: Int64 = 1_000_000_000
  /// A packet that was captured again comes within this.
  static let duplicate: Int64 = 10_000_000
  /// Segments in a row, each continuing the last, that move a stream to a far-away sequence number.
  static let foreignSegments = 4
  /// Events kept back while it is not known who the client is.
  static let unknownRole = 4
}
