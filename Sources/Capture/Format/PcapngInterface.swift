import NIOCore
import Packets

/// What a section says of an interface: an Interface Description Block (draft-ietf-opsawg-pcapng §4.2).
struct PcapngInterface {
  var linkType: LinkType
  /// Most bytes kept of a packet; 0 is no limit.
  var snapLength: Int
  var time = PcapngTime.microseconds
  /// Bytes of frame check sequence at the end of each packet.
  var checkLength = 0
  /// Packets dropped by the interface and by the system, as its last Interface Statistics Block says.
  private var interfaceDrops: UInt64 = 0
  private var systemDrops: UInt64 = 0

  private enum Option {
    static let resolution: UInt16 = 9
    static let checkLength: UInt16 = 13
    static let offset: UInt16 = 14
    static let interfaceDrops: UInt16 = 5
    static let systemDrops: UInt16 = 7
  }

  /// Reads a block of `length` bytes at the reader index, whose body has at least 8 bytes.
  init(
    _ input: ByteBuffer, _ length: Int, _ isBigEndian: Bool, _ counters: inout CaptureCounters
  ) {
    linkType = LinkType(Int(input.half(at: 8, isBigEndian: isBigEndian)))
    snapLength = Int(input.word(at: 12, isBigEndian: isBigEndian))
    var options = PcapngOptions(input, 16, length - 4, isBigEndian)
    while let option = options.next(&counters) {
      switch (option.code, option.length) {
      case (Option.resolution, 1): time.resolution = options.byte(option)
      case (Option.offset, 8): time.offset = Int64(bitPattern: options.number(option))
      case (Option.checkLength, 1): checkLength = Int(options.byte(option))
      default: break
      }
    }
  }

  /// Reads an Interface Statistics Block (§4.6) whose body has at least 12 bytes; its counts go on from the last.
  mutating func readStatistics(
    _ input: ByteBuffer, _ length: Int, _ isBigEndian: Bool, _ counters: inout CaptureCounters
  ) {
    var options = PcapngOptions(input, 20, length - 4, isBigEndian)
    while let option = options.next(&counters) {
      switch (option.code, option.length) {
      case (Option.interfaceDrops, 8): interfaceDrops = options.number(option)
      case (Option.systemDrops, 8): systemDrops = options.number(option)
      default: break
      }
    }
  }

  /// Counts the packets that never came into the file; numbers that 63 bits cannot hold are not meant.
  func countDrops(_ counters: inout CaptureCounters) {
    counters.count(.interfaceDrop, Int(exactly: interfaceDrops) ?? 0)
    counters.count(.kernelDrop, Int(exactly: systemDrops) ?? 0)
  }
}
