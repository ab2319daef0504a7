import Basics
import NIOCore
import Packets
import TestKit
import Testing

/// One way to carry the conversation of `a conversation is found in every wrapping`.
private struct Carrier: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var linkType: LinkType
  var wrappers: [Wrapper]

  init(_ name: String, _ linkType: LinkType, _ wrappers: [Wrapper]) {
    testDescription = name
    self.linkType = linkType
    self.wrappers = wrappers
  }

  static let snap = Wrapper.bytes([0xaa, 0xaa, 3, 0, 0, 0, 8, 0])
  static let vxlan = Wrapper.bytes([8, 0, 0, 0, 0, 0, 42, 0])
  static let padding = Wrapper.trailer([0xee, 0xee, 0xee, 0xee, 0xee, 0xee])

  static let links = [
    Carrier("802.3 and SNAP", .ethernet, [snap, .ethernet(48)]),
    Carrier("802.3 and LLC's access point of IP", .ethernet, [.bytes([6, 6, 3]), .ethernet(43)]),
    Carrier("a frame check sequence", .ethernet, [.ethernet(0x0800), padding]),
    Carrier("PPP", .ppp, [.bytes([0xff, 3, 0, 0x21])]),
    Carrier("PPP, address and control left out", .ppp, [.bytes([0, 0x21])]),
    Carrier("PPP, protocol in one byte", .ppp, [.bytes([0x21])]),
    Carrier("PPP on a serial line", .pppSerial, [.bytes([0xff, 3, 0, 0x21])]),
    Carrier("Cisco's HDLC on a serial line", .pppSerial, [.bytes([0x0f, 0, 8, 0])]),
    Carrier("Cisco's HDLC", .ciscoHDLC, [.bytes([0x0f, 0, 8, 0])]),
    Carrier("PPPoE without Ethernet", .pppEthernet, [pppoe, padding]),
    Carrier("PPPoE", .ethernet, [pppoe, padding, .ethernet(0x8864)]),
    Carrier(
      "PPPoE behind a tag", .ethernet, [pppoe, .bytes([0, 5, 0x88, 0x64]), .ethernet(0x8100)]),
    Carrier("MPLS", .ethernet, [.bytes([0, 1, 0x01, 64]), .ethernet(0x8847)]),
    Carrier(
      "three MPLS labels", .ethernet,
      [.bytes([0, 1, 0, 64, 0, 2, 0, 64, 0, 3, 0x01, 64]), .ethernet(0x8848)]),
    Carrier(
      "Ethernet in MPLS", .ethernet,
      [.ethernet(0x0800), .bytes([0, 1, 0x01, 64, 0, 0, 0, 0]), .ethernet(0x8847)]),
    Carrier("MPLS alone", LinkType(219), [.bytes([0, 1, 0x01, 64])]),
    Carrier(
      "a backbone's service tag", .ethernet,
      [.ethernet(0x0800), .bytes([0, 0, 0, 9]), .ethernet(0x88e7)]),
    Carrier("a VN-Tag", .ethernet, [.bytes([0, 0, 0, 9, 8, 0]), .ethernet(0x8926)]),
    Carrier("FDDI", .fddi, [snap, .bytes([UInt8](repeating: 0x50, count: 13))]),
    Carrier(
      "Token Ring with a route", LinkType(6),
      [
        snap, .bytes([0x10, 0x40, 1, 1, 1, 1, 1, 1, 0x82, 2, 2, 2, 2, 2, 4, 0, 0, 0]),
      ]),
    Carrier("ARCNET (RFC 1051)", .arcnetLinux, [.bytes([1, 2, 0, 0, 0xf0])]),
    Carrier("ARCNET (RFC 1201)", .arcnetLinux, [.bytes([1, 2, 0, 0, 0xd4, 0, 0, 1])]),
    Carrier("ARCNET on BSD", LinkType(7), [.bytes([1, 2, 0xd4, 0, 0, 1])]),
    Carrier(
      "IP over Fibre Channel", LinkType(122), [snap, .bytes([UInt8](repeating: 7, count: 16))]),
    Carrier("IP over ATM", LinkType(100), [snap]),
    Carrier("PPP with a direction", LinkType(204), [.bytes([1, 0xff, 3, 0, 0x21])]),
    Carrier("Cisco's HDLC with a direction", LinkType(205), [.bytes([1, 0x0f, 0, 8, 0])]),
    Carrier("the packet filter's log", .packetFilterLog, [.bytes([61, 2] + zeros(62))]),
    Carrier("an encapsulating interface", LinkType(109), [.bytes([2] + zeros(11))]),
    Carrier("a Hilscher analyser", LinkType(240), [.ethernet(0x0800), .bytes(zeros(4))]),
    Carrier("PKTAP", .pktap, [.ethernet(0x0800), .bytes(pktap(1))]),
    Carrier("SLL with SNAP", .linuxSLL, [snap, .bytes([0, 0, 3, 4, 0, 6] + zeros(8) + [0, 4])]),
    Carrier(
      "SLL2 with a tag", .linuxSLL2,
      [.bytes([0, 9, 8, 0]), .bytes([0x81, 0, 0, 0, 0, 0, 0, 1, 3, 4, 0, 6] + zeros(8))]),
  ]

  static let tunnels = [
    Carrier("IP in IP", .raw, [.ipv4(4)]),
    Carrier("IPv4 in IPv6", .raw, [.ipv6(4)]),
    Carrier("IP in IP, padded", .ethernet, [.ipv4(4), .ethernet(0x0800), padding]),
    Carrier("GRE", .raw, [.bytes([0, 0, 8, 0]), .ipv4(47)]),
    Carrier(
      "GRE with checksum, key and sequence number", .raw,
      [.bytes([0xb0, 0, 8, 0] + zeros(12)), .ipv4(47)]),
    Carrier(
      "GRE with routes", .raw,
      [.bytes([0x40, 0, 8, 0] + zeros(4) + [0, 1, 0, 4, 9, 9, 9, 9] + zeros(4)), .ipv4(47)]),
    Carrier("Ethernet in GRE", .raw, [.ethernet(0x0800), .bytes([0, 0, 0x65, 0x58]), .ipv6(47)]),
    Carrier(
      "PPTP", .raw,
      [.bytes([0x30, 0x81, 0x88, 0x0b] + zeros(12) + [0xff, 3, 0, 0x21]), .ipv4(47)]),
    Carrier(
      "GRE in GRE", .raw, [.bytes([0, 0, 8, 0]), .ipv4(47), .bytes([0, 0, 8, 0]), .ipv4(47)]),
    Carrier("MPLS in GRE", .raw, [.bytes([0, 0, 0x88, 0x47, 0, 1, 1, 64]), .ipv4(47)]),
    Carrier("ERSPAN I", .raw, [.ethernet(0x0800), .bytes([0, 0, 0x88, 0xbe]), .ipv4(47)]),
    Carrier(
      "ERSPAN II", .raw,
      [.ethernet(0x0800), .bytes([0x10, 0, 0x88, 0xbe] + zeros(4) + [0x10] + zeros(7)), .ipv4(47)]),
    Carrier(
      "ERSPAN III", .raw,
      [.ethernet(0x0800), .bytes([0x10, 0, 0x22, 0xeb] + zeros(16)), .ipv4(47)]),
    Carrier(
      "ERSPAN III with a platform's header", .raw,
      [.ethernet(0x0800), .bytes([0x10, 0, 0x22, 0xeb] + zeros(15) + [1] + zeros(8)), .ipv4(47)]),
    Carrier("VXLAN", .raw, [.ethernet(0x0800), vxlan, .udp(4789), .ipv4(17)]),
    Carrier("VXLAN on flannel's port", .raw, [.ethernet(0x0800), vxlan, .udp(8472), .ipv6(17)]),
    Carrier(
      "VXLAN with a protocol", .raw, [.bytes([12, 0, 0, 1, 0, 0, 42, 0]), .udp(4790), .ipv4(17)]),
    Carrier(
      "Geneve", .raw,
      [.ethernet(0x0800), .bytes([0, 0, 0x65, 0x58, 0, 0, 9, 0]), .udp(6081), .ipv4(17)]),
    Carrier(
      "Geneve with options, IP inside", .raw,
      [.bytes([2, 0, 8, 0, 0, 0, 9, 0] + zeros(8)), .udp(6081), .ipv4(17)]),
    Carrier("GTP-U", .raw, [.bytes([0x30, 0xff] + zeros(6)), .udp(2152), .ipv4(17)]),
    Carrier(
      "GTP-U with an extension", .raw,
      [.bytes([0x34, 0xff] + zeros(9) + [0x85, 1, 0, 0, 0]), .udp(2152), .ipv4(17)]),
    Carrier(
      "three VXLANs", .ethernet,
      [Wrapper](
        [[Wrapper]](
          repeating: [.ethernet(0x0800), vxlan, .udp(4789), .ipv4(17)], count: 3
        ).joined())
        + [.ethernet(0x0800)]),
    Carrier(
      "authentication", .raw, [.bytes([4, 4] + zeros(22)), .ipv4(51)]),
    Carrier("Ethernet in IP", .raw, [.ethernet(0x0800), .bytes([0x30, 0]), .ipv4(97)]),
  ]

  private static let pppoe = Wrapper.bytes([0x11, 0, 0, 1, 0, 0, 0, 0x21])
  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
  private static func pktap(_ linkType: UInt8) -> [UInt8] {
    [108, 0, 0, 0, 1, 0, 0, 0, linkType, 0, 0, 0] + zeros(96)
  }
}

struct `Links and tunnels` {
  @Test(arguments: Carrier.links + Carrier.tunnels)
  private func `a conversation is found in every wrapping`(_ carrier: Carrier) {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "ping")
    script.send(.s2c, "pong")
    var builder = PcapBuilder()
    builder.linkType = carrier.linkType
    builder.wrappers = carrier.wrappers
    let transcript = FlowTranscript(builder.frames(script.segments))
    #expect(
      transcript.lines.prefix(3) == [
        "1 opened 10.0.0.1:40000 > 10.0.0.2:80", "1 c2s \"ping\" @3", "1 s2c \"pong\" @4",
      ])
    #expect(transcript.counts == "tcp.control 3, tcp.data 2; tcp.delivered 8; ")
  }

  @Test(arguments: Carrier.links + Carrier.tunnels)
  private func `a snap length anywhere in the headers is counted`(_ carrier: Carrier) {
    var builder = PcapBuilder()
    builder.linkType = carrier.linkType
    builder.wrappers = carrier.wrappers
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "ping")
    let length = builder.frame(script.segments[3]).bytes.readableBytes
    for kept in 0..<length {
      builder.snapLength = kept
      let transcript = FlowTranscript(builder.frames(script.segments))
      #expect(transcript.isBalanced)
    }
  }

  @Test(arguments: [
    (LinkType.ethernet, [Wrapper.bytes([0xc0, 0x21]), .ethernet(0x880b)], "non_ip[ppp 0xc021] 1"),
    (.ethernet, [.bytes([0x11, 0x09, 0, 0, 0, 0]), .ethernet(0x8864)], "non_ip[0x8864] 1"),
    (.ethernet, [.ethernet(0x8863)], "non_ip[0x8863] 1"),
    (.ethernet, [.bytes([0, 1, 1, 64, 0x50]), .ethernet(0x8847)], "non_ip[0x8847] 1"),
    (.ethernet, [.bytes([0xaa, 0xaa, 3, 0, 0, 12, 0x20, 0]), .ethernet(48)], "non_ip[llc] 1"),
    (.ethernet, [.bytes([0xaa, 0xaa, 3, 0, 0, 0, 8, 6]), .ethernet(48)], "non_ip[0x0806] 1"),
    (.arcnetLinux, [.bytes([1, 2, 0, 0, 0xd5])], "non_ip[arcnet 0xd5] 1"),
    (.arcnetLinux, [.bytes([1, 2, 0, 0, 0xd4, 1, 0, 1])], "non_ip[arcnet 0xd4] 1"),
    (.netfilterLog, [.bytes([7, 0, 0, 0, 8, 0, 9, 0])], "non_ip[af 7] 1"),
    (.pktap, [.bytes([12, 0, 0, 0, 1, 0, 0, 0, 147, 0, 0, 0])], "unsupported_linktype[147] 1"),
  ])
  func `what a layer carries besides IP is counted by its name`(
    _ linkType: LinkType, _ wrappers: [Wrapper], _ count: String
  ) {
    #expect(counts(linkType, wrappers) == "packets.\(count); ; ")
  }

  @Test(arguments: [
    ([Wrapper.ipv4(50)], "ip.encrypted 1"), ([.ipv6(50)], "ip.encrypted 1"),
    ([.udp(53), .ipv4(17)], "udp 1"), ([.bytes([0]), .udp(4789), .ipv4(17)], "udp 1"),
    ([.bytes([0x00, 2, 8, 0]), .ipv4(47)], "ip.protocol[47] 1"),
    ([.bytes([0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0]), .ipv4(47)], "ip.protocol[47] 1"),
    ([.bytes([0x10, 0]), .ipv4(97)], "ip.protocol[97] 1"),
    ([Wrapper](repeating: .ipv4(4), count: 15), "limit.packet_layers 1"),
    ([Wrapper](repeating: .ipv4(4), count: 14), "tcp.control 1"),
  ])
  func `what is no tunnel, or too many, is counted by its name`(
    _ wrappers: [Wrapper], _ count: String
  ) {
    #expect(counts(.raw, wrappers) == "\(count); ; ")
  }

  @Test(arguments: [true, false])
  func `Netfilter's log is read in both byte orders`(_ isBigEndian: Bool) {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "ping")
    var builder = PcapBuilder()
    builder.linkType = .raw
    let frames = builder.frames(script.segments).map { frame in
      var out = ByteBuffer(bytes: [2, 0, 0, 5])
      func attribute(_ type: UInt16, _ value: ByteBuffer) {
        let order: Endianness = isBigEndian ? .big : .little
        out.writeInteger(UInt16(4 + value.readableBytes), endianness: order)
        out.writeInteger(type, endianness: order)
        out.writeImmutableBuffer(value)
        out.writeRepeatingByte(0, count: -value.readableBytes & 3)
      }
      attribute(1, ByteBuffer(bytes: [8, 0, 1, 0]))
      attribute(10, ByteBuffer(bytes: [0x61]))
      attribute(9, frame.bytes)
      attribute(15, ByteBuffer(bytes: [1, 2, 3]))
      return CapturedFrame(
        bytes: out, originalLength: out.readableBytes, linkType: .netfilterLog, at: frame.at)
    }
    #expect(FlowTranscript(frames).counts == "tcp.control 3, tcp.data 1; tcp.delivered 4; ")
  }

  private func counts(_ linkType: LinkType, _ wrappers: [Wrapper]) -> String {
    var builder = PcapBuilder()
    builder.linkType = linkType
    builder.wrappers = wrappers
    var script = TCPScript()
    script.add(.c2s, .syn, [])
    return FlowTranscript(builder.frames(script.segments)).counts

  }
}
