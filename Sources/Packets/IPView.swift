/// What an IP header says that matters to TCP (RFC 791, RFC 8200).
///
/// Checksums are never looked at: on loopback and with offloading they are wrong in nearly every good packet.
/// A length of zero is a segment larger than the field can say, or one that the network card was to cut: the
/// frame's own length counts then. A length beyond the frame's end is cut to the frame; if those bytes did exist,
/// the stream shows a hole there anyway.
struct IPView {
  var source: IPAddress
  var destination: IPAddress
  var transport: UInt8
  /// Offset of the transport header in the frame.
  var payload: Int
  /// Bytes of transport header and data on the wire; more than was captured where a snap length cut the frame.
  var payloadLength: Int

  /// Extension headers followed; RFC 8200 §4.1 lists seven kinds, two of them twice.
  private static let extensionHeaderLimit = 16

  /// The largest segment believed where only the frame tells: twice what Linux makes (BIG TCP, 512 KiB).
  private static let giantLimit = 1 << 20

  /// Reads the IP header at `at` of a frame that was `wireLength` bytes long.
  static func read(_ bytes: Span<UInt8>, at: Int, wireLength: Int) -> Layer<IPView> {
    guard at < bytes.count else { return .counted(.truncatedHeader) }
    switch bytes[at] >> 4 {
    case 4: return readIPv4(bytes, at: at, wireLength: wireLength)
    case 6: return readIPv6(bytes, at: at, wireLength: wireLength)
    default: return .counted(.badVersion)
    }
  }

  /// Returns the bytes of the frame from `from` on, including those that were not captured.
  private static func onWire(_ bytes: Span<UInt8>, from: Int, wireLength: Int) -> Int {
    max(bytes.count - from, min(wireLength - from, giantLimit))
  }

  private static func readIPv4(
    _ bytes: Span<UInt8>, at: Int, wireLength: Int
  ) -> Layer<IPView> {
    guard at + 20 <= bytes.count else { return .counted(.truncatedHeader) }
    let headerLength = Int(bytes[at] & 15) * 4
    let totalLength = Int(bytes.bigEndian16(at: at + 2))
    let onWire = onWire(bytes, from: at, wireLength: wireLength)
    guard headerLength >= 20, totalLength == 0 || totalLength >= headerLength,
      headerLength <= onWire
    else { return .counted(.badLength) }
    // More-fragments bit or an offset.
    guard bytes.bigEndian16(at: at + 6) & 0x3fff == 0 else { return .counted(.fragment) }
    let length = totalLength == 0 ? onWire : min(totalLength, onWire)
    return .found(
      IPView(
        source: IPAddress(ipv4: bytes.bigEndian32(at: at + 12)),
        destination: IPAddress(ipv4: bytes.bigEndian32(at: at + 16)),
        transport: bytes[at + 9], payload: at + headerLength,
        payloadLength: length - headerLength))
  }

  private static func readIPv6(
    _ bytes: Span<UInt8>, at: Int, wireLength: Int
  ) -> Layer<IPView> {
    guard at + 40 <= bytes.count else { return .counted(.truncatedHeader) }
    let stated = Int(bytes.bigEndian16(at: at + 4))
    let onWire = onWire(bytes, from: at + 40, wireLength: wireLength)
    let end = at + 40 + (stated == 0 ? onWire : min(stated, onWire))
    var header = bytes[at + 6]
    var next = at + 40
    for _ in 0..<extensionHeaderLimit {
      var length = 8
      switch header {
      case 0, 43, 44, 51, 60, 135, 139, 140:
        guard next + 8 <= end else { return .counted(.badLength) }
        guard next + 8 <= bytes.count else { return .counted(.truncatedHeader) }
        if header == 44 {
          // Offset or more-fragments bit; an atomic fragment (RFC 6946) has neither.
          guard bytes.bigEndian16(at: next + 2) & 0xfff9 == 0 else { return .counted(.fragment) }
        } else {
          length = header == 51 ? (Int(bytes[next + 1]) + 2) * 4 : (Int(bytes[next + 1]) + 1) * 8
        }
        header = bytes[next]
        next += length
        guard next <= end else { return .counted(.badLength) }
      default:
        return .found(
          IPView(
            source: IPAddress(
              high: bytes.bigEndian64(at: at + 8), low: bytes.bigEndian64(at: at + 16)),
            destination: IPAddress(
              high: bytes.bigEndian64(at: at + 24), low: bytes.bigEndian64(at: at + 32)),
            transport: header, payload: next, payloadLength: end - next))
      }
    }
    return .counted(.badLength)
  }
}
