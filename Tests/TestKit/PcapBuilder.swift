import Basics
public import NIOCore
public import Packets

/// Makes frames of TCP segments, and classic capture files of frames.
public struct PcapBuilder: Sendable {
  /// What the frames begin with.
  public var linkType = LinkType.ethernet
  /// Tag types around the IP packet, outermost first (0x8100, 0x88a8); Ethernet and SLL only.
  public var vlanTags: [UInt16] = []
  /// Layers around the IP packet instead of the link type's own header, innermost first.
  public var wrappers: [Wrapper] = []
  /// Frames are cut to this many bytes.
  public var snapLength = 262_144
  /// Bytes of no-operation options in an IPv4 header, a multiple of 4.
  public var ipOptions = 0
  /// Extension headers of 8 bytes each in front of TCP (0, 43, 44, 60); IPv6 only.
  public var extensionHeaders: [UInt8] = []
  /// Writes an IP length of zero, as frames have that the network card was to cut.
  public var hasZeroLength = false
  /// Ethernet frames are padded to this many bytes.
  public var minimumLength = 0
  /// Whether the file has nanoseconds.
  public var hasNanoseconds = true
  /// Whether the file is in network byte order.
  public var isBigEndian = false

  /// Starts with Ethernet, no tags, nothing cut, a little-endian file with nanoseconds.
  public init() {}

  /// Returns the frame of a segment; addresses with a colon make it IPv6.
  public func frame(_ segment: TCPSegment) -> CapturedFrame {
    let isIPv6 = segment.from.host.utf8.contains(0x3a)
    var out = ByteBuffer()
    if wrappers.isEmpty { writeLink(isIPv6, &out) }
    if isIPv6 { writeIPv6(segment, &out) } else { writeIPv4(segment, &out) }
    writeTCP(segment, &out)
    for wrapper in wrappers { out = wrapper.wrap(out) }
    if linkType == .ethernet, out.readableBytes < minimumLength {
      out.writeRepeatingByte(0xee, count: minimumLength - out.readableBytes)
    }
    let length = out.readableBytes
    let cut = out.readSlice(length: min(length, snapLength)) ?? ByteBuffer()
    return CapturedFrame(
      bytes: cut, originalLength: length, linkType: linkType, at: segment.at)
  }

  /// Returns the frames of a script.
  public func frames(_ segments: [TCPSegment]) -> [CapturedFrame] { segments.map(frame) }

  /// Returns a classic capture file.
  public func file(_ frames: [CapturedFrame]) -> ByteBuffer {
    let order: Endianness = isBigEndian ? .big : .little
    var out = ByteBuffer()
    func word(_ value: Int) {
      out.writeInteger(UInt32(truncatingIfNeeded: value), endianness: order)
    }
    word(hasNanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4)
    out.writeInteger(UInt16(2), endianness: order)
    out.writeInteger(UInt16(4), endianness: order)
    word(0)
    word(0)
    word(snapLength)
    word(linkType.number)
    for frame in frames {
      let time = Int(frame.at.nanoseconds)
      word(time / 1_000_000_000)
      word(time % 1_000_000_000 / (hasNanoseconds ? 1 : 1000))
      word(frame.bytes.readableBytes)
      word(frame.originalLength)
      out.writeImmutableBuffer(frame.bytes)
    }
    return out
  }

  private func writeLink(_ isIPv6: Bool, _ out: inout ByteBuffer) {
    let type: UInt16 = isIPv6 ? 0x86dd : 0x0800
    let first = vlanTags.first ?? type
    switch linkType {
    case .ethernet:
      out.writeBytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2])
      out.writeInteger(first)
    case .null:
      out.writeInteger(UInt32(isIPv6 ? 30 : 2), endianness: isBigEndian ? .big : .little)
    case .loop:
      out.writeInteger(UInt32(isIPv6 ? 24 : 2))
    case .linuxSLL:
      out.writeBytes([0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0])
      out.writeInteger(first)
    case .linuxSLL2:
      out.writeInteger(first)
      out.writeBytes([0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0])
    default: return
    }
    guard linkType != .null, linkType != .loop else { return }
    for i in vlanTags.indices {
      out.writeInteger(UInt16(100 + i))
      out.writeInteger(i + 1 < vlanTags.count ? vlanTags[i + 1] : type)
    }
  }

  private func writeIPv4(_ segment: TCPSegment, _ out: inout ByteBuffer) {
    let length = 20 + ipOptions + 20 + segment.payload.count
    out.writeBytes([0x40 | UInt8(5 + ipOptions / 4), 0])
    out.writeInteger(UInt16(hasZeroLength ? 0 : length))
    out.writeInteger(segment.identification)
    out.writeBytes([0x40, 0, segment.hopLimit, 6, 0, 0])
    for endpoint in [segment.from, segment.to] {
      for part in endpoint.host.split(separator: ".") { out.writeInteger(UInt8(part) ?? 0) }
    }
    out.writeRepeatingByte(1, count: ipOptions)
  }

  private func writeIPv6(_ segment: TCPSegment, _ out: inout ByteBuffer) {
    let length = 8 * extensionHeaders.count + 20 + segment.payload.count
    out.writeBytes([0x60, 0, 0, 0])
    out.writeInteger(UInt16(hasZeroLength ? 0 : length))
    out.writeBytes([extensionHeaders.first ?? 6, segment.hopLimit])
    for endpoint in [segment.from, segment.to] {
      for group in PcapBuilder.groups(endpoint.host) { out.writeInteger(group) }
    }
    for i in extensionHeaders.indices {
      out.writeBytes([i + 1 < extensionHeaders.count ? extensionHeaders[i + 1] : 6])
      out.writeRepeatingByte(0, count: 7)
    }
  }

  private func writeTCP(_ segment: TCPSegment, _ out: inout ByteBuffer) {
    out.writeInteger(UInt16(segment.from.port))
    out.writeInteger(UInt16(segment.to.port))
    out.writeInteger(segment.sequence)
    out.writeInteger(segment.acknowledgement)
    // The checksum is wrong on purpose: with offloading it is in most captures.
    out.writeBytes([0x50, segment.flags.rawValue, 0xff, 0xff, 0xba, 0xad, 0, 0])
    out.writeBytes(segment.payload)
  }

  /// Returns the eight groups of an IPv6 address with at most one `::`.
  private static func groups(_ text: String) -> [UInt16] {
    var sides: [[UInt16]] = [[]]
    var digits = ""
    var last: Character = " "
    for character in text + ":" {
      if character != ":" {
        digits.append(character)
      } else {
        if last == ":" { sides.append([]) }
        if !digits.isEmpty { sides[sides.count - 1].append(UInt16(digits, radix: 16) ?? 0) }
        digits = ""
      }
      last = character
    }
    let head = sides[0]
    let tail = sides.dropFirst().flatMap { $0 }
    let zeros = [UInt16](repeating: 0, count: max(0, 8 - head.count - tail.count))
    return head + zeros + tail
  }
}
