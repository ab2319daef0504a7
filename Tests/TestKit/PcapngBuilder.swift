public import NIOCore
public import Packets

/// Writes pcapng files block by block (draft-ietf-opsawg-pcapng), right ones and wrong ones.
public struct PcapngBuilder: Sendable {
  /// An option: its code and value; the padding is added.
  public struct Option: Sendable {
    var code: UInt16
    var value: [UInt8]

    /// Creates an option.
    public init(_ code: UInt16, _ value: [UInt8]) {
      self.code = code
      self.value = value
    }
  }

  /// The byte order of what is written next; a section says it.
  public var isBigEndian: Bool
  /// What has been written.
  public private(set) var bytes = ByteBuffer()

  private var order: Endianness { isBigEndian ? .big : .little }

  /// Starts with nothing.
  public init(isBigEndian: Bool = false) { self.isBigEndian = isBigEndian }

  /// Appends a block of any type; its body is padded.
  public mutating func block(_ type: UInt32, _ body: ByteBuffer) {
    let length = UInt32(12 + (body.readableBytes + 3) & ~3)
    bytes.writeInteger(type, endianness: order)
    bytes.writeInteger(length, endianness: order)
    bytes.writeImmutableBuffer(body)
    bytes.writeRepeatingByte(0, count: Int(length) - 12 - body.readableBytes)
    bytes.writeInteger(length, endianness: order)
  }

  /// Appends a Section Header Block of version `major`.0.
  public mutating func section(major: UInt16 = 1) {
    var body = ByteBuffer()
    body.writeInteger(UInt32(0x1a2b_3c4d), endianness: order)
    body.writeInteger(major, endianness: order)
    body.writeInteger(UInt16(0), endianness: order)
    body.writeInteger(Int64(-1), endianness: order)
    block(0x0a0d_0d0a, body)
  }

  /// Appends an Interface Description Block.
  public mutating func interface(
    _ type: LinkType = .ethernet, snapLength: UInt32 = 0, options: [Option] = []
  ) {
    var body = ByteBuffer()
    body.writeInteger(UInt16(type.number), endianness: order)
    body.writeInteger(UInt16(0), endianness: order)
    body.writeInteger(snapLength, endianness: order)
    write(options, to: &body)
    block(1, body)
  }

  /// Appends an Enhanced Packet Block; `ticks` is in the interface's units.
  public mutating func packet(
    _ data: [UInt8], interface: UInt32 = 0, ticks: UInt64, original: Int? = nil,
    options: [Option] = []
  ) {
    var body = ByteBuffer()
    body.writeInteger(interface, endianness: order)
    writeRest(data, ticks, original, options, to: &body)
    block(6, body)
  }

  /// Appends a Packet Block, as files had before Enhanced Packet Blocks.
  public mutating func obsoletePacket(
    _ data: [UInt8], interface: UInt16 = 0, ticks: UInt64, original: Int? = nil
  ) {
    var body = ByteBuffer()
    body.writeInteger(interface, endianness: order)
    body.writeInteger(UInt16.max, endianness: order)
    writeRest(data, ticks, original, [], to: &body)
    block(2, body)
  }

  /// Appends a Simple Packet Block.
  public mutating func simplePacket(_ data: [UInt8], original: Int? = nil) {
    var body = ByteBuffer()
    body.writeInteger(UInt32(original ?? data.count), endianness: order)
    body.writeBytes(data)
    block(3, body)
  }

  /// Appends an Interface Statistics Block.
  public mutating func statistics(interface: UInt32 = 0, options: [Option]) {
    var body = ByteBuffer()
    body.writeInteger(interface, endianness: order)
    body.writeInteger(UInt64(0), endianness: order)
    write(options, to: &body)
    block(5, body)
  }

  /// Appends a Decryption Secrets Block.
  public mutating func secrets(_ type: UInt32, _ text: String) {
    var body = ByteBuffer()
    body.writeInteger(type, endianness: order)
    body.writeInteger(UInt32(text.utf8.count), endianness: order)
    body.writeString(text)
    block(10, body)
  }

  /// Returns `number` as the value of an option, in the order of the section.
  public func value(_ number: some FixedWidthInteger) -> [UInt8] {
    var bytes = ByteBuffer()
    bytes.writeInteger(number, endianness: order)
    return Array(bytes.readableBytesView)
  }

  private func writeRest(
    _ data: [UInt8], _ ticks: UInt64, _ original: Int?, _ options: [Option],
    to body: inout ByteBuffer
  ) {
    body.writeInteger(UInt32(ticks >> 32), endianness: order)
    body.writeInteger(UInt32(truncatingIfNeeded: ticks), endianness: order)
    body.writeInteger(UInt32(data.count), endianness: order)
    body.writeInteger(UInt32(original ?? data.count), endianness: order)
    body.writeBytes(data)
    body.writeRepeatingByte(0, count: (4 - data.count % 4) % 4)
    write(options, to: &body)
  }

  private func write(_ options: [Option], to body: inout ByteBuffer) {
    guard !options.isEmpty else { return }
    for option in options {
      body.writeInteger(option.code, endianness: order)
      body.writeInteger(UInt16(option.value.count), endianness: order)
      body.writeBytes(option.value)
      body.writeRepeatingByte(0, count: (4 - option.value.count % 4) % 4)
    }
    body.writeInteger(UInt32(0))
  }
}
