/// The Point-to-Point Protocol (RFC 1661, RFC 1662) and its sessions over Ethernet (RFC 2516).
enum PPPHeader {
  /// Steps over the header of a PPPoE session packet.
  static func session(_ bytes: Span<UInt8>, _ cursor: inout FrameCursor) -> Layer<NextHeader> {
    guard cursor.has(6, bytes) else { return .counted(.truncatedHeader) }
    // Version and type 1, code 0; the length ends what may be Ethernet's padding.
    guard bytes.bigEndian16(at: cursor.at) == 0x1100 else { return .counted(.nonIP(0x8864)) }
    let length = Int(bytes.bigEndian16(at: cursor.at + 4))
    cursor.at += 6
    if length > 0 { cursor.end = min(cursor.end, cursor.at + length) }
    return .found(.ppp)
  }

  /// Steps over address and control, which compression leaves out, and a protocol of one or two bytes.
  static func next(_ bytes: Span<UInt8>, _ cursor: inout FrameCursor) -> Layer<NextHeader> {
    if cursor.has(2, bytes), bytes.bigEndian16(at: cursor.at) == 0xff03 { cursor.at += 2 }
    guard cursor.has(2, bytes) else { return .counted(.truncatedHeader) }
    // An odd byte ends the number (RFC 1661 §6.5).
    let isShort = bytes[cursor.at] & 1 == 1
    let type = isShort ? UInt16(bytes[cursor.at]) : bytes.bigEndian16(at: cursor.at)
    cursor.at += isShort ? 1 : 2
    switch type {
    case 0x21, 0x57: return .found(.network)
    case 0x0281: return .found(.mpls(0x8847))
    case 0x0283: return .found(.mpls(0x8848))
    default: return .counted(.ppp(type))
    }
  }
}
