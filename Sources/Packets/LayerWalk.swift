/// What a frame turned out to hold.
enum Packet {
  case segment(IPView, TCPView)
  case fragment(IPView)
  case counted(PacketClass)
}

/// Finds the TCP segment in a frame, through links, tags and tunnels.
///
/// Theory: each header says what comes next or how long the rest is; `FrameCursor.end` is the end by the innermost
/// header that tells, so that padding, frame check sequences and trailers fall away. What no header explains is counted
/// under the name of the layer where the walk ended.
enum LayerWalk {
  /// Headers stepped over, as Suricata's and Zeek's: beyond is a loop or an attack.
  static let layerLimit = 16

  /// The largest frame believed where only a length field tells: twice what Linux makes (BIG TCP, 512 KiB).
  private static let frameLimit = 1 << 20

  /// Reads a frame that was `wireLength` bytes long.
  static func read(_ bytes: Span<UInt8>, _ linkType: LinkType, wireLength: Int) -> Packet {
    var cursor = FrameCursor(at: 0, end: max(bytes.count, min(wireLength, frameLimit)))
    var header = NextHeader.link(linkType.number)
    for _ in 0..<layerLimit {
      let next: Layer<NextHeader>
      switch header {
      case .network:
        switch IPView.read(bytes, cursor) {
        case .counted(let packet): return .counted(packet)
        case .found(let ip):
          if ip.fragment != nil { return .fragment(ip) }
          if ip.transport == 6 { return tcp(bytes, ip) }
          cursor = FrameCursor(at: ip.payload, end: ip.payload + ip.payloadLength)
          next = Tunnels.next(ip.transport, bytes, &cursor)
        }
      case .ethernet: next = EthernetHeader.next(bytes, &cursor)
      case .etherType(let type): next = EthernetHeader.etherType(type, bytes, &cursor)
      case .llc(let type): next = EthernetHeader.llc(type, bytes, &cursor)
      case .mpls(let type): next = EthernetHeader.mpls(type, bytes, &cursor)
      case .ppp: next = PPPHeader.next(bytes, &cursor)
      case .link(let number): next = LinkHeader.next(number, bytes, &cursor)
      }
      switch next {
      case .counted(let packet): return .counted(packet)
      case .found(let found): header = found
      }
    }
    return .counted(.tooManyLayers)
  }

  @inline(__always)
  private static func tcp(_ bytes: Span<UInt8>, _ ip: IPView) -> Packet {
    switch TCPView.read(bytes, ip) {
    case .counted(let packet): .counted(packet)
    case .found(let tcp): .segment(ip, tcp)
    }
  }
}
