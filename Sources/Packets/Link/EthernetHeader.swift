/// Ethernet, its tags, and what an EtherType leads to (IEEE 802.3, 802.1Q; RFC 1042).
enum EthernetHeader {
  /// Tags followed before a frame is given up as malformed; QinQ needs two, Zeek allows a few more.
  private static let tagLimit = 8

  /// Steps over addresses and type.
  static func next(_ bytes: Span<UInt8>, _ cursor: inout FrameCursor) -> Layer<NextHeader> {
    guard cursor.has(14, bytes) else { return .counted(.truncatedHeader) }
    let type = bytes.bigEndian16(at: cursor.at + 12)
    cursor.at += 14
    return etherType(type, bytes, &cursor)
  }

  /// Follows tags to the protocol they carry.
  static func etherType(
    _ first: UInt16, _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    var type = first
    for _ in 0...tagLimit {
      switch type {
      case 0x0800, 0x86dd: return .found(.network)
      // IEEE 802.1Q and 802.1ad, and two numbers that vendors used before.
      case 0x8100, 0x88a8, 0x9100, 0x9200:
        guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
        type = bytes.bigEndian16(at: cursor.at + 2)
        cursor.at += 4
      // IEEE 802.1BR and its predecessor VN-Tag.
      case 0x893f, 0x8926:
        let length = type == 0x893f ? 8 : 6
        guard cursor.has(length, bytes) else { return .counted(.truncatedHeader) }
        type = bytes.bigEndian16(at: cursor.at + length - 2)
        cursor.at += length
      default: return carried(type, bytes, &cursor)
      }
    }
    return .counted(.nonIP(type))
  }

  private static func carried(
    _ type: UInt16, _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    switch type {
    // Below 0x600 the field is a length or, in a "cooked" capture, says that LLC follows.
    case 0..<0x0600: return .found(.llc(type))
    case 0x6558: return .found(.ethernet)
    case 0x8847, 0x8848: return .found(.mpls(type))
    case 0x8864: return PPPHeader.session(bytes, &cursor)
    case 0x880b: return .found(.ppp)
    // Provider backbone bridging (IEEE 802.1ah): a service tag, then the customer's frame.
    case 0x88e7:
      guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
      cursor.at += 4
      return .found(.ethernet)
    default: return .counted(.nonIP(type))
    }
  }

  /// Reads IEEE 802.2: SNAP carries an EtherType (RFC 1042), access point 6 is IP itself.
  static func llc(
    _ type: UInt16, _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(3, bytes) else { return .counted(.nonIP(type)) }
    if bytes.bigEndian16(at: cursor.at) == 0x0606, bytes[cursor.at + 2] == 3 {
      cursor.at += 3
      return .found(.network)
    }
    guard cursor.has(8, bytes), bytes.bigEndian16(at: cursor.at) == 0xaaaa else {
      return .counted(.nonIP(type))
    }
    // Organisation 0, or 0xf8 of bridges (IEEE 802.1H), means EtherTypes.
    let organisation = bytes.bigEndian32(at: cursor.at + 2)
    let inner = bytes.bigEndian16(at: cursor.at + 6)
    guard organisation == 0x0300_0000 || organisation == 0x0300_00f8, inner >= 0x0600 else {
      return .counted(.nonIP(inner < 0x0600 ? inner : type))
    }
    cursor.at += 8
    return .found(.etherType(inner))
  }

  /// Pops labels to the bottom of the stack (RFC 3032) and looks at what is below.
  ///
  /// Nothing names that: an IP packet begins with its version, a pseudowire's control word with 0 (RFC 4385).
  static func mpls(
    _ type: UInt16, _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    var isBottom = false
    while !isBottom {
      guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
      isBottom = bytes[cursor.at + 2] & 1 != 0
      cursor.at += 4
    }
    guard cursor.has(1, bytes) else { return .counted(.truncatedHeader) }
    switch bytes[cursor.at] >> 4 {
    case 4, 6: return .found(.network)
    case 0:
      guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
      cursor.at += 4
      return .found(.ethernet)
    default: return .counted(.nonIP(type))
    }
  }
}
