/// What an IP header says that matters to what it carries (RFC 791, RFC 8200).
///
/// Checksums are never looked at: on loopback and with offloading they are wrong in nearly every good packet.
/// A length of zero is a segment larger than the field can say, or one that the network card was to cut: the
/// frame's own length counts then. A length beyond the frame's end is cut to the frame; if those bytes did exist,
/// the stream shows a hole there anyway.
struct IPView {
  /// A piece of a datagram.
  struct Fragment {
    /// 16 bits in IPv4, 32 in IPv6.
    var identification: UInt32
    /// Where its bytes belong in the datagram.
    var offset: Int
    /// False in the datagram's last piece.
    var hasMore: Bool
  }

  var source: IPAddress
  var destination: IPAddress
  var transport: UInt8
  /// IPv4's number of the packet; zero in IPv6, and from some senders that never cut packets.
  var identification: UInt16
  /// Offset of the transport header in the frame.
  var payload: Int
  /// Bytes of transport header and data on the wire; more than was captured where a snap length cut the frame.
  var payloadLength: Int
  /// What piece of a datagram this is; nil for a whole one.
  var fragment: Fragment?

  /// The addresses of an IPv4 packet.
  var ipv4Addresses: (UInt32, UInt32)? {
    guard let source = source.ipv4, let destination = destination.ipv4 else { return nil }
    return (source, destination)
  }

  /// Extension headers followed; RFC 8200 §4.1 lists seven kinds, two of them twice.
  private static let extensionHeaderLimit = 16

  /// Reads the IP header at the cursor.
  @inline(__always)
  static func read(_ bytes: Span<UInt8>, _ cursor: FrameCursor) -> Layer<IPView> {
    guard cursor.at < bytes.count else { return .counted(.truncatedHeader) }
    switch bytes[cursor.at] >> 4 {
    case 4: return readIPv4(bytes, cursor)
    case 6: return readIPv6(bytes, cursor)
    default: return .counted(.badVersion)
    }
  }

  @inline(__always)
  private static func readIPv4(_ bytes: Span<UInt8>, _ cursor: FrameCursor) -> Layer<IPView> {
    let at = cursor.at
    guard cursor.has(20, bytes) else { return .counted(.truncatedHeader) }
    let headerLength = Int(bytes[at] & 15) * 4
    let totalLength = Int(bytes.bigEndian16(at: at + 2))
    let onWire = cursor.end - at
    guard headerLength >= 20, totalLength == 0 || totalLength >= headerLength,
      headerLength <= onWire
    else { return .counted(.badLength) }
    let length = totalLength == 0 ? onWire : min(totalLength, onWire)
    var view = IPView(
      source: IPAddress(ipv4: bytes.bigEndian32(at: at + 12)),
      destination: IPAddress(ipv4: bytes.bigEndian32(at: at + 16)),
      transport: bytes[at + 9], identification: bytes.bigEndian16(at: at + 4),
      payload: at + headerLength, payloadLength: length - headerLength)
    // More-fragments bit or an offset.
    let position = bytes.bigEndian16(at: at + 6)
    if position & 0x3fff != 0 {
      view.fragment = Fragment(
        identification: UInt32(view.identification), offset: Int(position & 0x1fff) * 8,
        hasMore: position & 0x2000 != 0)
    } else if view.transport == 51 {
      return skipAuthentication(bytes, view)
    }
    return .found(view)
  }

  /// Steps over the authentication headers of an IPv4 packet.
  private static func skipAuthentication(_ bytes: Span<UInt8>, _ packet: IPView) -> Layer<IPView> {
    var view = packet
    for _ in 0..<extensionHeaderLimit where view.transport == 51 {
      guard view.payloadLength >= 8 else { return .counted(.badLength) }
      guard view.payload + 8 <= bytes.count else { return .counted(.truncatedHeader) }
      let length = extensionLength(bytes, view.payload, 51)
      view.transport = bytes[view.payload]
      view.payload += length
      view.payloadLength -= length
      guard view.payloadLength >= 0 else { return .counted(.badLength) }
    }
    return .found(view)
  }

  private static func readIPv6(_ bytes: Span<UInt8>, _ cursor: FrameCursor) -> Layer<IPView> {
    let at = cursor.at
    guard cursor.has(40, bytes) else { return .counted(.truncatedHeader) }
    let stated = Int(bytes.bigEndian16(at: at + 4))
    let onWire = cursor.end - at - 40
    guard onWire >= 0 else { return .counted(.badLength) }
    var end = at + 40 + (stated == 0 ? onWire : min(stated, onWire))
    var view = IPView(
      source: IPAddress(high: bytes.bigEndian64(at: at + 8), low: bytes.bigEndian64(at: at + 16)),
      destination: IPAddress(
        high: bytes.bigEndian64(at: at + 24), low: bytes.bigEndian64(at: at + 32)),
      transport: bytes[at + 6], identification: 0, payload: at + 40, payloadLength: 0)
    for _ in 0...extensionHeaderLimit {
      let next = view.payload
      switch view.transport {
      case 0, 43, 44, 51, 60, 135, 139, 140:
        guard next + 8 <= end else { return .counted(.badLength) }
        guard next + 8 <= bytes.count else { return .counted(.truncatedHeader) }
        if view.transport == 0, stated == 0 { end = jumboEnd(bytes, next, at + 40, end) }
        let length = extensionLength(bytes, next, view.transport)
        if view.transport == 44 {
          // An atomic fragment (RFC 6946) has neither an offset nor the more-fragments bit.
          let position = bytes.bigEndian16(at: next + 2)
          if position & 0xfff9 != 0 {
            view.fragment = Fragment(
              identification: bytes.bigEndian32(at: next + 4), offset: Int(position & 0xfff8),
              hasMore: position & 1 != 0)
          }
        }
        view.transport = bytes[next]
        view.payload = next + length
        guard view.payload <= end else { return .counted(.badLength) }
        guard view.fragment == nil else { break }
        continue
      default: break
      }
      view.payloadLength = end - view.payload
      return .found(view)
    }
    return .counted(.badLength)
  }

  /// Length of an extension header: a fragment's is fixed, authentication counts in words (RFC 4302 §2.2).
  private static func extensionLength(_ bytes: Span<UInt8>, _ at: Int, _ type: UInt8) -> Int {
    switch type {
    case 44: 8
    case 51: (Int(bytes[at + 1]) + 2) * 4
    default: (Int(bytes[at + 1]) + 1) * 8
    }
  }

  /// The packet's end by the jumbo payload option (RFC 2675), which comes first where Linux writes it.
  private static func jumboEnd(_ bytes: Span<UInt8>, _ option: Int, _ start: Int, _ end: Int) -> Int
  {
    guard bytes.bigEndian16(at: option + 2) == 0xc204 else { return end }
    return min(end, start + Int(bytes.bigEndian32(at: option + 4)))
  }
}
