/// What a packet is counted as; every packet has exactly one.
enum PacketClass: Hashable {
  case tcpData
  case tcpControl
  case tcpKeepAlive
  case duplicate
  case filtered
  case fragment
  case encrypted
  case badLength
  case badVersion
  case badTCPHeader
  case truncatedHeader
  case transport(UInt8)
  case nonIP(UInt16)
  case ppp(UInt16)
  case arcnet(UInt8)
  case unknownFamily(UInt32)
  case unsupportedLinkType(Int)
  case tooManyLayers
  case other

  var name: String {
    switch self {
    case .tcpData: "tcp.data"
    case .tcpControl: "tcp.control"
    case .tcpKeepAlive: "tcp.keepalive"
    case .duplicate: "packets.duplicate"
    case .filtered: "filtered"
    case .fragment: "ip.fragments"
    case .encrypted: "ip.encrypted"
    case .badLength: "ip.bad_length"
    case .badVersion: "ip.bad_version"
    case .badTCPHeader: "tcp.bad_header"
    case .truncatedHeader: "packets.truncated_header"
    case .transport(1): "icmp"
    case .transport(17): "udp"
    case .transport(58): "icmpv6"
    case .transport(let number): "ip.protocol[\(number)]"
    case .nonIP(let type) where type < 0x0600: "packets.non_ip[llc]"
    case .nonIP(let type): "packets.non_ip[0x\(hex(type))]"
    case .ppp(let type): "packets.non_ip[ppp 0x\(hex(type))]"
    case .arcnet(let type): "packets.non_ip[arcnet 0x\(hex(UInt16(type)).suffix(2))]"
    case .unknownFamily(let family): "packets.non_ip[af \(family)]"
    case .other: "packets.other"
    case .tooManyLayers: "limit.packet_layers"
    case .unsupportedLinkType(let number): "packets.unsupported_linktype[\(number)]"
    }
  }

  private func hex(_ value: UInt16) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}
