/// What IP carries that carries packets again: IP in IP (RFC 2003, RFC 4213), GRE (RFC 2784, RFC 2890), and over UDP
/// VXLAN (RFC 7348), Geneve (RFC 8926), Teredo (RFC 4380) and GTP-U (3GPP TS 29.281).
enum Tunnels {
  /// Steps over the header of a transport that is a tunnel; anything else is counted.
  static func next(
    _ transport: UInt8, _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    switch transport {
    case 4, 41: return .found(.network)
    case 17: return udp(bytes, &cursor)
    case 47: return gre(bytes, &cursor)
    case 50: return .counted(.encrypted)
    case 97: return etherIP(bytes, &cursor)
    case 137: return .found(.mpls(0x8847))
    default: return .counted(.transport(transport))
    }
  }

  /// Ethernet in IP (RFC 3378): version 3 and nothing else.
  private static func etherIP(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(2, bytes) else { return .counted(.truncatedHeader) }
    guard bytes.bigEndian16(at: cursor.at) == 0x3000 else { return .counted(.transport(97)) }
    cursor.at += 2
    return .found(.ethernet)
  }

  // MARK: GRE

  /// Flags say which fields follow: checksum and offset, key, sequence number, acknowledgement, routes.
  private static func gre(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
    let flags = bytes.bigEndian16(at: cursor.at)
    let type = bytes.bigEndian16(at: cursor.at + 2)
    let version = flags & 7
    guard version <= 1 else { return .counted(.transport(47)) }
    cursor.at += 4
    if flags & 0xc000 != 0, version == 0 { cursor.at += 4 }
    if flags & 0x2000 != 0 { cursor.at += 4 }
    if flags & 0x1000 != 0 { cursor.at += 4 }
    // Version 1 is PPTP's (RFC 2637): an acknowledgement alone carries nothing.
    if version == 1 {
      if flags & 0x0080 != 0 { cursor.at += 4 }
      guard flags & 0x1000 != 0 else { return .counted(.transport(47)) }
    }
    // Routes (RFC 1701): family, offset, length; a family of zero ends them.
    while flags & 0x4000 != 0, version == 0 {
      guard cursor.has(4, bytes) else { return .counted(.truncatedHeader) }
      let isLast = bytes.bigEndian16(at: cursor.at) == 0
      cursor.at += 4 + (isLast ? 0 : Int(bytes[cursor.at + 3]))
      if isLast { break }
    }
    switch type {
    case 0x88be: return erspan(&cursor, hasHeader: flags & 0x1000 != 0)
    case 0x22eb: return erspanIII(bytes, &cursor)
    default: return .found(.etherType(type))
    }
  }

  /// A switch's mirror port: type I has no header, type II one of eight bytes and always a sequence number.
  private static func erspan(_ cursor: inout FrameCursor, hasHeader: Bool) -> Layer<NextHeader> {
    if hasHeader { cursor.at += 8 }
    return .found(.ethernet)
  }

  /// Twelve bytes, and eight more where the last bit says so; the frame may be IP without Ethernet.
  private static func erspanIII(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    guard cursor.has(12, bytes) else { return .counted(.truncatedHeader) }
    let last = bytes.bigEndian16(at: cursor.at + 10)
    cursor.at += last & 1 != 0 ? 20 : 12
    return .found(last >> 11 & 0x1f == 2 ? .network : .ethernet)
  }

  // MARK: UDP

  private static func udp(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> Layer<NextHeader> {
    let notATunnel = Layer<NextHeader>.counted(.transport(17))
    guard cursor.has(16, bytes) else { return notATunnel }
    let length = Int(bytes.bigEndian16(at: cursor.at + 4))
    let payload = cursor.at + 8
    guard length == 0 || length >= 16 else { return notATunnel }
    var inner = cursor
    inner.at = payload
    if length > 0 { inner.end = min(cursor.end, cursor.at + length) }
    let next: NextHeader?
    switch (bytes.bigEndian16(at: cursor.at + 2), bytes.bigEndian16(at: cursor.at)) {
    // 8472 is what Linux used before a number was assigned, and flannel still does.
    case (4789, _), (8472, _): next = vxlan(bytes, &inner)
    case (4790, _): next = genericVXLAN(bytes, &inner)
    case (6081, _): next = geneve(bytes, &inner)
    case (2152, _): next = gtp(bytes, &inner)
    case (3544, _), (_, 3544): next = teredo(bytes, &inner)
    default: next = nil
    }
    guard let next else { return notATunnel }
    cursor = inner
    return .found(next)
  }

  private static func vxlan(_ bytes: Span<UInt8>, _ cursor: inout FrameCursor) -> NextHeader? {
    guard bytes[cursor.at] & 0x08 != 0 else { return nil }
    cursor.at += 8
    return .ethernet
  }

  /// VXLAN with a protocol field (draft-ietf-nvo3-vxlan-gpe).
  private static func genericVXLAN(
    _ bytes: Span<UInt8>, _ cursor: inout FrameCursor
  ) -> NextHeader? {
    let flags = bytes[cursor.at]
    let type = bytes[cursor.at + 3]
    guard flags & 0x08 != 0 else { return nil }
    cursor.at += 8
    guard flags & 0x04 != 0 else { return .ethernet }
    switch type {
    case 1, 2: return .network
    case 3: return .ethernet
    default: return nil
    }
  }

  private static func geneve(_ bytes: Span<UInt8>, _ cursor: inout FrameCursor) -> NextHeader? {
    guard bytes[cursor.at] >> 6 == 0 else { return nil }
    let type = bytes.bigEndian16(at: cursor.at + 2)
    cursor.at += 8 + Int(bytes[cursor.at] & 0x3f) * 4
    return .etherType(type)
  }

  /// User data of version 1; a flag brings four more bytes, the last of which may begin a chain of extensions.
  private static func gtp(_ bytes: Span<UInt8>, _ cursor: inout FrameCursor) -> NextHeader? {
    let flags = bytes[cursor.at]
    guard flags >> 4 == 3, bytes[cursor.at + 1] == 0xff else { return nil }
    cursor.at += 8
    guard flags & 7 != 0 else { return .network }
    guard cursor.has(4, bytes) else { return nil }
    var following = bytes[cursor.at + 3]
    cursor.at += 4
    while following != 0 {
      guard cursor.has(4, bytes) else { return nil }
      let length = Int(bytes[cursor.at]) * 4
      guard length > 0, cursor.has(length, bytes) else { return nil }
      following = bytes[cursor.at + length - 1]
      cursor.at += length
    }
    return .network
  }

  /// IPv6, perhaps behind an authentication and an origin indication.
  private static func teredo(_ bytes: Span<UInt8>, _ cursor: inout FrameCursor) -> NextHeader? {
    if bytes.bigEndian16(at: cursor.at) == 1 {
      cursor.at += 13 + Int(bytes[cursor.at + 2]) + Int(bytes[cursor.at + 3])
    }
    guard cursor.has(8, bytes) else { return nil }
    if bytes.bigEndian16(at: cursor.at) == 0 { cursor.at += 8 }
    guard cursor.has(1, bytes), bytes[cursor.at] >> 4 == 6 else { return nil }
    return .network
  }
}
