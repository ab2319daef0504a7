/// One protocol layer of a frame: the header that was looked for, or the class the packet counts under.
enum Layer<Header> {
  case found(Header)
  case counted(PacketClass)
}

/// Finds the IP header behind the link-layer header (tcpdump.org/linktypes.html).
enum LinkLayer {
  /// Tags followed before a frame is given up as malformed; QinQ needs two, Zeek allows a few more.
  private static let vlanTagLimit = 8

  /// Returns the offset of the IP header in `bytes`.
  static func networkHeader(_ bytes: Span<UInt8>, _ linkType: LinkType) -> Layer<Int> {
    switch linkType.number {
    case 1:
      guard bytes.count >= 14 else { return .counted(.truncatedHeader) }
      return etherType(bytes, bytes.bigEndian16(at: 12), at: 14)
    case 0, 108:
      guard bytes.count >= 4 else { return .counted(.truncatedHeader) }
      return addressFamily(bytes.bigEndian32(at: 0))
    case 12, 14, 101, 228, 229:
      return .found(0)
    case 113:
      guard bytes.count >= 16 else { return .counted(.truncatedHeader) }
      return etherType(bytes, bytes.bigEndian16(at: 14), at: 16)
    case 276:
      guard bytes.count >= 20 else { return .counted(.truncatedHeader) }
      return etherType(bytes, bytes.bigEndian16(at: 0), at: 20)
    default:
      return .counted(.unsupportedLinkType(linkType.number))
    }
  }

  /// Follows IEEE 802.1Q and 802.1ad tags and an LLC/SNAP header to the protocol they carry.
  private static func etherType(
    _ bytes: Span<UInt8>, _ first: UInt16, at start: Int
  ) -> Layer<Int> {
    var type = first
    var at = start
    for _ in 0...vlanTagLimit {
      switch type {
      case 0x0800, 0x86dd:
        return .found(at)
      case 0x8100, 0x88a8, 0x9100, 0x9200:
        guard at + 4 <= bytes.count else { return .counted(.truncatedHeader) }
        type = bytes.bigEndian16(at: at + 2)
        at += 4
      case 0..<0x0600:
        // Below 0x600 the field is a length (or, in SLL, an LLC marker): only SNAP carries an EtherType.
        guard at + 8 <= bytes.count, bytes.bigEndian16(at: at) == 0xaaaa,
          bytes.bigEndian32(at: at + 2) == 0x0300_0000
        else { return .counted(.nonIP(type)) }
        type = bytes.bigEndian16(at: at + 6)
        at += 8
        if type < 0x0600 { return .counted(.nonIP(type)) }
      default:
        return .counted(.nonIP(type))
      }
    }
    return .counted(.nonIP(type))
  }

  /// Reads the family in either byte order: a NULL header is in that of the machine that wrote it.
  private static func addressFamily(_ value: UInt32) -> Layer<Int> {
    let family = value < 0x1_0000 ? value : value.byteSwapped
    switch family {
    // AF_INET; AF_INET6 on Linux, BSD/OS and NetBSD, FreeBSD, Darwin.
    case 2, 10, 24, 28, 30: return .found(4)
    default: return .counted(.unknownFamily(family))
    }
  }
}
