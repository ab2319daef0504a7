import Basics
import NIOCore
import Packets

/// The blocks of a pcapng file (draft-ietf-opsawg-pcapng).
///
/// Theory: every block is type, total length, body, total length again. A Section Header Block says the byte order of
/// what follows and forgets the interfaces; Interface Description Blocks number the interfaces from 0 and say link
/// type, snap length and how their times count. Packets are in Enhanced, Simple and (old files) Packet Blocks. What
/// has no use here is skipped by its length, without ever being held.
///
/// Invariant: `skipped > 0` exactly while a skipped block is under way; `isBigEndian` and `interfaces` are those of the
/// last section header.
struct PcapngBlocks {
  /// The type of a Section Header Block, the same in both byte orders.
  static let sectionHeader: UInt32 = 0x0a0d_0d0a
  /// The type of a Decryption Secrets Block.
  static let decryptionSecrets: UInt32 = 10
  /// What a section header holds in its own byte order.
  static let byteOrderMagic: UInt32 = 0x1a2b_3c4d

  /// Types of blocks by their numbers (§10.1).
  private enum BlockType {
    static let interfaceDescription: UInt32 = 1
    static let packet: UInt32 = 2
    static let simplePacket: UInt32 = 3
    static let nameResolution: UInt32 = 4
    static let interfaceStatistics: UInt32 = 5
    static let enhancedPacket: UInt32 = 6
    /// Both kinds of Custom Blocks: to be copied by tools, and not.
    static let custom: Set<UInt32> = [0x0000_0bad, 0x4000_0bad]
  }

  /// Type and two lengths.
  private static let wrapping = 12
  /// Most interfaces of a section: what a Packet Block's 16 bits can name.
  private static let interfaceLimit = 65_536

  /// Bytes of the block that is being skipped which are behind us.
  private(set) var skipped = 0
  private var skipLength = 0
  private var isBigEndian = false
  private var interfaces: [PcapngInterface] = []
  private var lastTime = Timestamp(nanoseconds: 0)

  /// Returns the next frame or secrets; `nil` when more bytes are needed.
  mutating func next(
    _ input: inout ByteBuffer, _ counters: inout CaptureCounters
  ) throws(Flaw) -> CaptureItem? {
    while true {
      if skipped > 0 {
        guard try skip(&input) else { return nil }
        continue
      }
      guard input.readableBytes >= PcapngBlocks.wrapping else { return nil }
      let type = input.word(at: 0, isBigEndian: isBigEndian)
      if type == PcapngBlocks.sectionHeader { try readByteOrder(input, &counters) }
      let length = Int(input.word(at: 4, isBigEndian: isBigEndian))
      guard length >= PcapngBlocks.wrapping, length % 4 == 0 else {
        throw Flaw(.corruptBlock, "a block length of \(length)")
      }
      switch type {
      case PcapngBlocks.sectionHeader, BlockType.interfaceDescription, BlockType.packet,
        BlockType.simplePacket, BlockType.enhancedPacket, PcapngBlocks.decryptionSecrets,
        BlockType.interfaceStatistics:
        // The block's own frame comes on top of what its content may have.
        guard length <= CaptureDecoder.recordLimit + 4096 else {
          throw Flaw(.corruptBlock, "a block length of \(length)")
        }
        guard input.readableBytes >= length else { return nil }
        try checkTrailer(input.word(at: length - 4, isBigEndian: isBigEndian), length)
        let item = try read(type, input, length, &counters)
        input.moveReaderIndex(forwardBy: length)
        if let item { return item }
      case let other:
        counters.count(
          other == BlockType.nameResolution
            ? .nameResolution : BlockType.custom.contains(other) ? .customBlock : .unknownBlock)
        skipLength = length
        skipped = 8
        input.moveReaderIndex(forwardBy: 8)
      }
    }
  }

  /// Ends the last section.
  mutating func finish(_ counters: inout CaptureCounters) {
    for interface in interfaces { interface.countDrops(&counters) }
    interfaces = []
    skipped = 0
  }

  // MARK: Blocks without packets

  /// Goes on to skip a block; false when more bytes are needed.
  private mutating func skip(_ input: inout ByteBuffer) throws(Flaw) -> Bool {
    let count = min(input.readableBytes, skipLength - 4 - skipped)
    input.moveReaderIndex(forwardBy: count)
    skipped += count
    guard skipped == skipLength - 4, input.readableBytes >= 4 else { return false }
    try checkTrailer(input.word(at: 0, isBigEndian: isBigEndian), skipLength)
    input.moveReaderIndex(forwardBy: 4)
    skipped = 0
    return true
  }

  private func checkTrailer(_ trailer: UInt32, _ length: Int) throws(Flaw) {
    guard Int(trailer) == length else {
      throw Flaw(.corruptBlock, "a block begins with length \(length) and ends with \(trailer)")
    }
  }

  /// Sets the byte order from the magic of a section header; the section before ends here.
  private mutating func readByteOrder(
    _ input: ByteBuffer, _ counters: inout CaptureCounters
  ) throws(Flaw) {
    switch input.word(at: 8, isBigEndian: true) {
    case PcapngBlocks.byteOrderMagic: isBigEndian = true
    case PcapngBlocks.byteOrderMagic.byteSwapped: isBigEndian = false
    case let magic:
      throw Flaw(.corruptBlock, "a section with byte-order magic 0x\(String(magic, radix: 16))")
    }
    finish(&counters)
  }

  /// Reads a block that is here as a whole.
  private mutating func read(
    _ type: UInt32, _ input: ByteBuffer, _ length: Int, _ counters: inout CaptureCounters
  ) throws(Flaw) -> CaptureItem? {
    switch type {
    case BlockType.enhancedPacket, BlockType.packet:
      return try packet(input, length, isObsolete: type == BlockType.packet, &counters)
    case BlockType.simplePacket:
      return try simplePacket(input, length, &counters)
    case BlockType.interfaceDescription:
      try need(8, of: length)
      guard interfaces.count < PcapngBlocks.interfaceLimit else {
        counters.count(.interfaceLimit)
        return nil
      }
      interfaces.append(PcapngInterface(input, length, isBigEndian, &counters))
    case BlockType.interfaceStatistics:
      counters.count(.interfaceStatistics)
      try need(12, of: length)
      let number = Int(input.word(at: 8, isBigEndian: isBigEndian))
      if interfaces.indices.contains(number) {
        interfaces[number].readStatistics(input, length, isBigEndian, &counters)
      }
    case PcapngBlocks.decryptionSecrets:
      return try secrets(input, length, &counters)
    default:
      try need(16, of: length)
      let major = input.half(at: 12, isBigEndian: isBigEndian)
      guard major == 1 else { throw Flaw(.unsupported, "pcapng of version \(major), not 1") }
    }
    return nil
  }

  /// Checks that a block's body has at least `count` bytes.
  private func need(_ count: Int, of length: Int) throws(Flaw) {
    guard length - PcapngBlocks.wrapping >= count else {
      throw Flaw(.corruptBlock, "a block of \(length) bytes is too short for its kind")
    }
  }

  private func secrets(
    _ input: ByteBuffer, _ length: Int, _ counters: inout CaptureCounters
  ) throws(Flaw) -> CaptureItem {
    try need(8, of: length)
    counters.count(.secrets)
    let count = Int(input.word(at: 12, isBigEndian: isBigEndian))
    guard count <= length - 20 else {
      throw Flaw(.corruptBlock, "\(count) bytes of secrets in a block of \(length)")
    }
    let slice = input.getSlice(at: input.readerIndex + 16, length: count) ?? ByteBuffer()
    return .secrets(
      DecryptionSecrets(
        type: input.word(at: 8, isBigEndian: isBigEndian),
        bytes: ByteBuffer(bytes: slice.readableBytesView)))
  }

  // MARK: Packets

  /// Reads an Enhanced Packet Block (§4.3) or the Packet Block before it (appendix A): they differ in the first word.
  private mutating func packet(
    _ input: ByteBuffer, _ length: Int, isObsolete: Bool, _ counters: inout CaptureCounters
  ) throws(Flaw) -> CaptureItem? {
    try need(20, of: length)
    let number =
      isObsolete
      ? Int(input.half(at: 8, isBigEndian: isBigEndian))
      : Int(input.word(at: 8, isBigEndian: isBigEndian))
    let high = UInt64(input.word(at: 12, isBigEndian: isBigEndian))
    let ticks = high << 32 | UInt64(input.word(at: 16, isBigEndian: isBigEndian))
    let captured = Int(input.word(at: 20, isBigEndian: isBigEndian))
    let original = Int(input.word(at: 24, isBigEndian: isBigEndian))
    guard captured <= length - 32 else {
      throw Flaw(.corruptBlock, "\(captured) captured bytes in a block of \(length)")
    }
    guard number < interfaces.count else {
      counters.count(.noInterface)
      return nil
    }
    let time = interfaces[number].time.nanoseconds(ticks)
    if !time.isExact { counters.count(.timeOutOfRange) }
    lastTime = Timestamp(nanoseconds: time.value)
    var check = interfaces[number].checkLength
    let options = 28 + (captured + 3) & ~3
    if options < length - 4 {
      check =
        PcapngOptions.checkLength(input, options, length - 4, isBigEndian, &counters) ?? check
    }
    return frame(input, at: 28, captured, original, check, interfaces[number].linkType)
  }

  /// Reads a Simple Packet Block (§4.4): the first interface's, without a time; its snap length says what was kept.
  private mutating func simplePacket(
    _ input: ByteBuffer, _ length: Int, _ counters: inout CaptureCounters
  ) throws(Flaw) -> CaptureItem? {
    try need(4, of: length)
    guard let interface = interfaces.first else {
      counters.count(.noInterface)
      return nil
    }
    counters.count(.noTimestamp)
    let original = Int(input.word(at: 8, isBigEndian: isBigEndian))
    let limit = interface.snapLength == 0 ? Int.max : interface.snapLength
    // Some writers put the snap length's worth or less and say no snap length: the block's length is what is there.
    let captured = min(original, limit, length - 16)
    return frame(input, at: 12, captured, original, interface.checkLength, interface.linkType)
  }

  private func frame(
    _ input: ByteBuffer, at offset: Int, _ captured: Int, _ original: Int, _ check: Int,
    _ linkType: LinkType
  ) -> CaptureItem {
    let original = max(original, captured) - check
    let kept = max(0, min(captured, original))
    let bytes = input.getSlice(at: input.readerIndex + offset, length: kept) ?? ByteBuffer()
    return .frame(
      CapturedFrame(bytes: bytes, originalLength: original, linkType: linkType, at: lastTime))
  }
}
