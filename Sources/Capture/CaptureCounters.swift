/// What a reader met that is not a frame, by name.
public struct CaptureCounters: Sendable {
  /// A kind of thing worth telling.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Bytes of the incomplete record at the end of a file.
    case truncatedTail = "file.truncated_tail"
    /// Compressed files that end before their data does.
    case truncatedContainer = "file.truncated_container"
    /// Bytes behind the end of the compressed data.
    case trailingBytes = "file.trailing_bytes"
    /// Damaged records or blocks; the file ends there.
    case corruptBlock = "file.corrupt_block"
    /// Damaged compressed data; the file ends there.
    case corruptContainer = "file.corrupt_container"
    /// Packets without a time (pcapng Simple Packet Blocks): they have that of the packet before.
    case noTimestamp = "packets.no_timestamp"
    /// Packets of an interface that the section does not describe; they are not read.
    case noInterface = "packets.no_interface"
    /// Descriptions of interfaces beyond those that a section may have.
    case interfaceLimit = "limit.interfaces"
    /// Packets whose time 64 bits of nanoseconds cannot hold (years 1677 to 2262); they have the nearest one.
    case timeOutOfRange = "packets.time_out_of_range"
    /// Packets that the capturing system says it dropped before they reached the file.
    case kernelDrop = "capture.kernel_drop"
    /// Packets that the interface says it dropped before they reached the file.
    case interfaceDrop = "capture.interface_drop"
    /// Lists of options that do not fit into their block; what came before them was read.
    case badOptions = "pcapng.bad_options"
    /// Blocks with secrets.
    case secrets = "pcapng.secrets"
    /// Bytes of secrets beyond what is kept of one file.
    case secretsLimit = "limit.secret_bytes"
    /// Interface Statistics Blocks.
    case interfaceStatistics = "pcapng.interface_statistics"
    /// Name Resolution Blocks.
    case nameResolution = "pcapng.name_resolution"
    /// Custom Blocks.
    case customBlock = "pcapng.custom_block"
    /// Blocks of other kinds.
    case unknownBlock = "pcapng.unknown_block"
  }

  private var counts: [Kind: Int] = [:]

  /// Starts with nothing counted.
  public init() {}

  /// How often (or how many bytes of) this was met.
  public subscript(kind: Kind) -> Int { counts[kind] ?? 0 }

  /// All that was met, sorted by name.
  public var named: [(name: String, count: Int)] {
    counts.filter { $0.value != 0 }.map { (name: $0.key.rawValue, count: $0.value) }
      .sorted { $0.name < $1.name }
  }

  mutating func count(_ kind: Kind, _ by: Int = 1) { counts[kind, default: 0] += by }

  /// Adds what another reader met.
  public mutating func add(_ other: CaptureCounters) {
    counts.merge(other.counts, uniquingKeysWith: +)
  }
}
