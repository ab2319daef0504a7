/// Where every packet and every captured TCP payload byte went.
///
/// The balance closes after every frame: the classes of `packets` sum to `packetsIn`, those of `payloadBytes` to
/// `payloadBytesIn`. Bytes that a gap stands for were never captured and are in neither sum.
public struct PacketCounters: Sendable {
  /// Frames taken in.
  public internal(set) var packetsIn = 0
  /// TCP payload bytes that the frames held; bytes cut off by a snap length are not among them.
  public internal(set) var payloadBytesIn = 0

  var dataPackets = 0
  var controlPackets = 0
  private var duplicatePackets = 0
  private var otherPackets: [PacketClass: Int] = [:]
  var bytes = PayloadBytes()
  private var occurrences: [Occurrence: Int] = [:]

  /// Names kept apart; the rest of a hostile capture's made-up types is one class.
  private static let classLimit = 1000

  /// What became of captured payload bytes.
  struct PayloadBytes {
    var delivered = 0
    var held = 0
    var retransmitted = 0
    var overlap = 0
    var duplicate = 0
    var outOfWindow = 0
    var keepAlive = 0
    var beforeStart = 0
    var afterEnd = 0
    var synData = 0
    var resetText = 0
    var outsideFlow = 0
  }

  /// Things worth telling that are not a class of packets or bytes.
  enum Occurrence: String {
    case gaps = "tcp.gaps"
    case gapBytes = "tcp.gap_bytes"
    case truncatedBytes = "tcp.truncated_bytes"
    case overlapConflict = "tcp.overlap_conflict"
    case portReuse = "tcp.port_reuse"
    case dataAfterRST = "tcp.data_after_rst"
    case giant = "tcp.giant"
    case urgent = "tcp.urgent"
    case oneSided = "tcp.one_sided"
    case midstream = "tcp.midstream"
    case resync = "tcp.resync"
    case ignoredSYN = "tcp.syn_ignored"
    case ignoredFIN = "tcp.fin_ignored"
    case ignoredRST = "tcp.rst_ignored"
    case ignoredACK = "tcp.ack_ignored"
    case timeBackwards = "packets.time_backwards"
    case fragmentsExpired = "ip.fragments_expired"
    case fragmentConflict = "ip.fragment_conflict"
    case oversizedDatagram = "ip.oversized_datagram"
    case reassembled = "ip.reassembled"
    case fragmentLimit = "limit.ip_fragments"
    case flowLimit = "limit.flows"
    case heldLimit = "limit.held_bytes"
    case totalHeldLimit = "limit.held_bytes_total"
  }

  /// Starts with nothing counted.
  public init() {}

  mutating func count(_ packet: PacketClass) {
    switch packet {
    case .tcpData: dataPackets += 1
    case .tcpControl: controlPackets += 1
    case .duplicate: duplicatePackets += 1
    default:
      let isNew = otherPackets.count >= PacketCounters.classLimit && otherPackets[packet] == nil
      otherPackets[isNew ? .other : packet, default: 0] += 1
    }
  }

  mutating func count(_ occurrence: Occurrence, _ by: Int = 1) {
    occurrences[occurrence, default: 0] += by
  }

  /// Packets by class, without zeros, sorted by name.
  public var packets: [(name: String, count: Int)] {
    var named: [String: Int] = [:]
    for (packet, count) in otherPackets { named[packet.name, default: 0] += count }
    named[PacketClass.tcpData.name] = dataPackets
    named[PacketClass.tcpControl.name] = controlPackets
    named[PacketClass.duplicate.name] = duplicatePackets
    return named.filter { $0.value != 0 }.sorted { $0.key < $1.key }
      .map { (name: $0.key, count: $0.value) }
  }

  /// Captured TCP payload bytes by what became of them, without zeros, sorted by name.
  ///
  /// `tcp.held` waits behind a hole and is zero at the end.
  public var payloadBytes: [(name: String, bytes: Int)] {
    let all = [
      ("tcp.after_end", bytes.afterEnd), ("tcp.before_start", bytes.beforeStart),
      ("tcp.delivered", bytes.delivered), ("tcp.duplicate", bytes.duplicate),
      ("tcp.held", bytes.held),
      ("tcp.keepalive", bytes.keepAlive), ("tcp.out_of_window", bytes.outOfWindow),
      ("tcp.outside_flow", bytes.outsideFlow), ("tcp.overlap", bytes.overlap),
      ("tcp.retransmitted", bytes.retransmitted), ("tcp.rst_text", bytes.resetText),
      ("tcp.syn_data_unacked", bytes.synData),
    ]
    return all.filter { $0.1 != 0 }.map { (name: $0.0, bytes: $0.1) }
  }

  /// Other things counted (gaps, port reuse, limits that were reached), without zeros, sorted by name.
  public var events: [(name: String, count: Int)] {
    occurrences.filter { $0.value != 0 }.map { (name: $0.key.rawValue, count: $0.value) }
      .sorted { $0.name < $1.name }
  }
}
