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

/// The options at the end of a block: code, length, value padded to four bytes (draft-ietf-opsawg-pcapng §3.5).
///
/// Options that do not fit into their block end the list and are counted: the block itself is good.
struct PcapngOptions {
  struct Option {
    var code: UInt16
    var length: Int
    /// Offset of the value from the block's first byte.
    var value: Int
  }

  private let input: ByteBuffer
  private var at: Int
  private let end: Int
  private let isBigEndian: Bool

  /// Reads the options from `at` to `end`, offsets from the reader index.
  init(_ input: ByteBuffer, _ at: Int, _ end: Int, _ isBigEndian: Bool) {
    self.input = input
    self.at = at
    self.end = end
    self.isBigEndian = isBigEndian
  }

  mutating func next(_ counters: inout CaptureCounters) -> Option? {
    guard at + 4 <= end else { return nil }
    let code = input.half(at: at, isBigEndian: isBigEndian)
    let length = Int(input.half(at: at + 2, isBigEndian: isBigEndian))
    guard code != 0 else { return nil }
    guard at + 4 + length <= end else {
      counters.count(.badOptions)
      at = end
      return nil
    }
    let option = Option(code: code, length: length, value: at + 4)
    at += 4 + (length + 3) & ~3
    return option
  }

  func byte(_ option: Option) -> UInt8 {
    input.getInteger(at: input.readerIndex + option.value) ?? 0
  }

  func number(_ option: Option) -> UInt64 {
    let endianness: Endianness = isBigEndian ? .big : .little
    return input.getInteger(at: input.readerIndex + option.value, endianness: endianness) ?? 0
  }

  /// Returns the length of the frame check sequence that a packet's `epb_flags` tell (§4.3.1, bits 5 to 8).
  static func checkLength(
    _ input: ByteBuffer, _ at: Int, _ end: Int, _ isBigEndian: Bool,
    _ counters: inout CaptureCounters
  ) -> Int? {
    var options = PcapngOptions(input, at, end, isBigEndian)
    while let option = options.next(&counters) {
      guard option.code == 2, option.length == 4 else { continue }
      let length = Int(input.word(at: option.value, isBigEndian: isBigEndian) >> 5 & 15)
      return length > 0 ? length : nil
    }
    return nil
  }
}
