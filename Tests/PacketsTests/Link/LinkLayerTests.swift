import Basics
import NIOCore
import Packets
import TestKit
import Testing

/// One way to wrap the same conversation.
struct Wrapping: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var builder: PcapBuilder
  var isIPv6 = false

  init(_ name: String, isIPv6: Bool = false, _ change: (inout PcapBuilder) -> Void) {
    testDescription = name
    self.isIPv6 = isIPv6
    builder = PcapBuilder()
    change(&builder)
  }

  static let all = [
    Wrapping("Ethernet") { _ in },
    Wrapping("Ethernet, one VLAN tag") { $0.vlanTags = [0x8100] },
    Wrapping("Ethernet, QinQ") { $0.vlanTags = [0x88a8, 0x8100] },
    Wrapping("Ethernet, eight tags") { $0.vlanTags = [UInt16](repeating: 0x9100, count: 8) },
    Wrapping("Ethernet, padded") { $0.minimumLength = 200 },
    Wrapping("Ethernet, IPv6", isIPv6: true) { _ in },
    Wrapping("Ethernet, IPv4 options") { $0.ipOptions = 12 },
    Wrapping("Ethernet, IPv4 length zero") { $0.hasZeroLength = true },
    Wrapping("Ethernet, IPv6 length zero", isIPv6: true) { $0.hasZeroLength = true },
    Wrapping("Ethernet, IPv6 extension headers", isIPv6: true) {
      $0.extensionHeaders = [0, 43, 44, 60, 135]
    },
    Wrapping("NULL, little-endian") { $0.linkType = .null },
    Wrapping("NULL, big-endian, IPv6", isIPv6: true) {
      $0.linkType = .null
      $0.isBigEndian = true
    },
    Wrapping("LOOP") { $0.linkType = .loop },
    Wrapping("LOOP, IPv6", isIPv6: true) { $0.linkType = .loop },
    Wrapping("RAW") { $0.linkType = .raw },
    Wrapping("RAW by its DLT 12", isIPv6: true) { $0.linkType = LinkType(12) },
    Wrapping("RAW by OpenBSD's DLT 14") { $0.linkType = LinkType(14) },
    Wrapping("IPV4") { $0.linkType = .ipv4 },
    Wrapping("IPV6", isIPv6: true) { $0.linkType = .ipv6 },
    Wrapping("LINUX_SLL") { $0.linkType = .linuxSLL },
    Wrapping("LINUX_SLL, VLAN") {
      $0.linkType = .linuxSLL
      $0.vlanTags = [0x8100]
    },
    Wrapping("LINUX_SLL2, IPv6", isIPv6: true) { $0.linkType = .linuxSLL2 },
  ]
}

struct `Link layer` {
  @Test(arguments: Wrapping.all)
  func `every wrapping gives the same conversation`(_ wrapping: Wrapping) {
    let (client, server) =
      wrapping.isIPv6
      ? (Endpoint(host: "fd00::1", port: 40_000), Endpoint(host: "fd00::2:0:0:5", port: 80))
      : (Endpoint(host: "10.0.0.1", port: 40_000), Endpoint(host: "10.0.0.2", port: 80))
    var script = TCPScript(client: client, server: server)
    script.handshake()
    script.send(.c2s, "ping")
    script.send(.s2c, "pong")
    script.finish(.c2s)
    script.finish(.s2c)
    let frames = wrapping.builder.frames(script.segments)
    let transcript = FlowTranscript(frames)
    #expect(
      transcript.lines == [
        "1 opened \(client) > \(server)", "1 c2s \"ping\" @3", "1 s2c \"pong\" @4",
        "1 c2s ended fin", "1 s2c ended fin",
      ])
    #expect(transcript.counts == "tcp.control 5, tcp.data 2; tcp.delivered 8; ")
  }

  @Test(
    arguments: [
      ("ARP", LinkType.ethernet, frame(etherType: 0x0806), "packets.non_ip[0x0806] 1"),
      ("PPPoE", .ethernet, frame(etherType: 0x8864), "packets.non_ip[0x8864] 1"),
      ("spanning tree", .ethernet, frame(etherType: 38), "packets.non_ip[llc] 1"),
      ("too many tags", .ethernet, tags(9), "packets.non_ip[0x8100] 1"),
      ("tag cut off", .ethernet, Array(tags(2).prefix(15)), "packets.truncated_header 1"),
      ("half a MAC header", .ethernet, [1, 2, 3], "packets.truncated_header 1"),
      ("nothing at all", .raw, [], "packets.truncated_header 1"),
      ("802.11", LinkType(105), [8, 0, 0, 0], "packets.unsupported_linktype[105] 1"),
      ("AppleTalk on NULL", .null, [16, 0, 0, 0], "packets.non_ip[af 16] 1"),
      ("SLL cut off", .linuxSLL, [0, 0, 3, 4], "packets.truncated_header 1"),
      ("SLL2 cut off", .linuxSLL2, [8, 0, 0, 0], "packets.truncated_header 1"),
      ("LOOP cut off", .loop, [0], "packets.truncated_header 1"),
    ])
  func `what is not IP has a class`(
    _ name: String, _ type: LinkType, _ bytes: [UInt8], _ count: String
  ) {
    let frame = CapturedFrame(
      bytes: ByteBuffer(bytes: bytes), originalLength: bytes.count, linkType: type,
      at: TCPScript.epoch)
    #expect(FlowTranscript([frame]).counts == "\(count); ; ")
  }

  @Test func `SNAP carries an EtherType`() {
    var script = TCPScript()
    script.handshake()
    let frames = PcapBuilder().frames(script.segments).map { frame in
      var changed = frame
      var bytes = Array(frame.bytes.readableBytesView)
      bytes.replaceSubrange(12..<14, with: [0, 48, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0])
      changed.bytes = ByteBuffer(bytes: bytes)
      return changed
    }
    #expect(FlowTranscript(frames).counts == "tcp.control 3; ; ")
  }

  private static func frame(etherType: UInt16) -> [UInt8] {
    [UInt8](repeating: 2, count: 12) + [UInt8(etherType >> 8), UInt8(etherType & 0xff)]
      + [UInt8](repeating: 0, count: 40)
  }

  private static func tags(_ count: Int) -> [UInt8] {
    [UInt8](repeating: 2, count: 12) + [0x81, 0]
      + Array([[UInt8]](repeating: [0, 1, 0x81, 0], count: count).joined())
      + [UInt8](repeating: 0, count: 40)
  }
}
