/// The headers that link types begin with (tcpdump.org/linktypes.html).
enum LinkHeader {
  /// Steps over the header of a frame of type `number`.
  static func next(
    _ number: Int, _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    switch number {
    case 1: return .found(.ethernet)
    case 12, 14, 101, 228, 229: return .found(.network)
    case 0, 108: return addressFamily(bytes, &cursor)
    case 113: return typed(bytes, &cursor, typeAt: 14, length: 16)
    case 276: return typed(bytes, &cursor, typeAt: 0, length: 20)
    case 9: return .found(.ppp)
    case 50, 104: return serial(number, bytes, &cursor)
    case 51: return PPPHeader.session(bytes, &cursor)
    case 219: return .found(.mpls(0x8847))
    case 6: return tokenRing(bytes, &cursor)
    case 7, 129: return arcnet(bytes, &cursor, isLinux: number == 129)
    // FDDI: a byte of control and two addresses. ATM (RFC 2684): nothing. IP over Fibre Channel: two addresses.
    case 10: return skip(13, bytes, &cursor, .llc(0))
    case 11, 100: return .found(.llc(0))
    case 122: return skip(16, bytes, &cursor, .llc(0))
    // OpenBSD's encapsulating interface; Hilscher's analyser, which writes four bytes before an Ethernet frame.
    case 109: return skip(12, bytes, &cursor, .network)
    case 240: return skip(4, bytes, &cursor, .ethernet)
    // PPP and Cisco's HDLC behind a byte that tells the direction.
    case 204: return skip(1, bytes, &cursor, .ppp)
    case 205: return skip(1, bytes, &cursor, .link(104))
    case 117: return packetFilterLog(bytes, &cursor)
    case 239: return netfilterLog(bytes, &cursor)
    case 149, 258: return pktap(bytes, &cursor)
    default: return .counted(.unsupportedLinkType(number))
    }
  }

  private static func skip(
    _ count: Int, _ bytes: Span<UInt8>, _ cursor: inout FrameCursor, _ next: NextHeader
  ) -> Layer<NextHeader> {
    guard cursor.has(count, bytes) else { return .counted(.truncatedHeader) }
    cursor.at += count
    return .found(next)
  }

  /// A header of fixed length with an EtherType in it: Linux "cooked" captures, Cisco's HDLC.
  private static func typed(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor, typeAt: Int, length: Int
  ) -> Layer<NextHeader> {
    guard cursor.has(length, bytes) else { return .counted(.truncatedHeader) }
    let type = bytes.bigEndian16(at: cursor.at + typeAt)
    cursor.at += length
    return .found(.etherType(type))
  }

  /// Reads the family in either byte order: a NULL header is in that of the machine that wrote it.
  private static func addressFamily(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
    let value = bytes.bigEndian32(at: cursor.at)
    let family = value < 0x1_0000 ? value : value.byteSwapped
    switch family {
    // AF_INET; AF_INET6 on Linux, Windows, BSD/OS and NetBSD, FreeBSD, Darwin.
    case 2, 10, 23, 24, 28, 30:
      cursor.at += 4
      return .found(.network)
    default: return .counted(.unknownFamily(family))
    }
  }

  /// A serial line speaks PPP or, where the address says so, Cisco's HDLC: address, control, EtherType.
  private static func serial(
    _ number: Int, _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
    // Unicast and multicast addresses of Cisco's HDLC.
    guard number == 104 || bytes[cursor.at] == 0x0f || bytes[cursor.at] == 0x8f else {
      return .found(.ppp)
    }
    return typed(bytes, &cursor, typeAt: 2, length: 4)
  }

  /// Access control, frame control, two addresses, and a route where the source address says so (IEEE 802.5).
  private static func tokenRing(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(15, bytes) else { return .counted(.truncatedHeader) }
    let hasRoute = bytes[cursor.at + 8] & 0x80 != 0
    return skip(14 + (hasRoute ? Int(bytes[cursor.at + 14] & 0x1f) : 0), bytes, &cursor, .llc(0))
  }

  /// Source, destination, on Linux an offset, and the type: RFC 1051 carries IP at once, RFC 1201 behind a split
  /// flag and a sequence number. Split packets are counted.
  private static func arcnet(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor, isLinux: Bool
  ) -> Layer<NextHeader> {
    let length = isLinux ? 5 : 3
    guard cursor.has(length, bytes) else { return .counted(.truncatedHeader) }
    let type = bytes[cursor.at + length - 1]
    cursor.at += length
    switch type {
    case 0xf0: return .found(.network)
    case 0xd4, 0xc4:
      guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
      // The long form of a packet of 249 to 252 bytes: four bytes of padding in front.
      if bytes[cursor.at] == 0xff { cursor.at += 4 }
      guard cursor.has(3, bytes) else { return .counted(.truncatedHeader) }
      guard bytes[cursor.at] == 0 else { return .counted(.arcnet(type)) }
      cursor.at += 3
      return .found(.network)
    default: return .counted(.arcnet(type))
    }
  }

  /// The length of the header comes first; it is padded to four bytes.
  private static func packetFilterLog(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(2, bytes) else { return .counted(.truncatedHeader) }
    return skip((Int(bytes[cursor.at]) + 3) & ~3, bytes, &cursor, .network)
  }

  /// Family, version and resource, then attributes: length, type, value, padded to four bytes, in the byte order of
  /// the machine that captured. Number 9 is the packet.
  private static func netfilterLog(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(8, bytes) else { return .counted(.truncatedHeader) }
    let family = UInt32(bytes[cursor.at])
    guard family == 2 || family == 10 else { return .counted(.unknownFamily(family)) }
    cursor.at += 4
    // Types are small: the first one's zero byte shows the order.
    let isBigEndian = bytes[cursor.at + 2] < bytes[cursor.at + 3]
    while cursor.has(4, bytes) {
      let fields = (bytes.bigEndian16(at: cursor.at), bytes.bigEndian16(at: cursor.at + 2))
      let length = Int(isBigEndian ? fields.0 : fields.0.byteSwapped)
      let type = (isBigEndian ? fields.1 : fields.1.byteSwapped) & 0x7fff
      guard length >= 4 else { return .counted(.badLength) }
      if type == 9 {
        cursor.end = min(cursor.end, cursor.at + length)
        cursor.at += 4
        return .found(.network)
      }
      cursor.at += (length + 3) & ~3
    }
    return .counted(.truncatedHeader)
  }

  /// Length of the header, a record type and the link type behind it, little-endian.
  private static func pktap(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(12, bytes) else { return .counted(.truncatedHeader) }
    let length = Int(bytes.bigEndian32(at: cursor.at).byteSwapped)
    let type = Int(bytes.bigEndian32(at: cursor.at + 8).byteSwapped)
    guard length >= 12 else { return .counted(.badLength) }
    return skip(length, bytes, &cursor, .link(type))
  }
}
