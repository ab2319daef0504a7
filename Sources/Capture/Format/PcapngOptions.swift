import NIOCore

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
