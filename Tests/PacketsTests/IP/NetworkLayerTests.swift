import Basics
import NIOCore
import Packets
import TestKit
import Testing

struct `IP and TCP headers` {
  /// The frame of `hello` on raw IPv4 with single bytes changed.
  private static func ipv4(_ changes: [Int: UInt8], keeping: Int? = nil) -> CapturedFrame {
    frame(host: "10.0.0.1", peer: "10.0.0.2", changes, keeping: keeping)
  }

  private static func ipv6(
    _ changes: [Int: UInt8], keeping: Int? = nil, headers: [UInt8] = []
  ) -> CapturedFrame {
    frame(host: "fd00::1", peer: "fd00::2", changes, keeping: keeping, headers: headers)
  }

  private static func frame(
    host: String, peer: String, _ changes: [Int: UInt8], keeping: Int?, headers: [UInt8] = []
  ) -> CapturedFrame {
    var builder = PcapBuilder()
    builder.linkType = .raw
    builder.extensionHeaders = headers
    var frame = builder.frame(
      TCPSegment(
        from: Endpoint(host: host, port: 40_000), to: Endpoint(host: peer, port: 80),
        sequence: 7, payload: Array("hello".utf8), at: TCPScript.epoch))
    for (at, byte) in changes { frame.bytes.setInteger(byte, at: at) }
    if let keeping { frame.bytes = frame.bytes.getSlice(at: 0, length: keeping) ?? ByteBuffer() }
    return frame
  }

  static let rejected: [(String, CapturedFrame, String)] = [
    ("version 5", ipv4([0: 0x55]), "ip.bad_version 1"),
    ("header of four words", ipv4([0: 0x44]), "ip.bad_length 1"),
    ("total below header", ipv4([2: 0, 3: 19]), "ip.bad_length 1"),
    ("header beyond the frame", ipv4([0: 0x4f, 2: 0, 3: 0]), "ip.bad_length 1"),
    ("UDP", ipv4([9: 17]), "udp 1"),
    ("ICMP", ipv4([9: 1]), "icmp 1"),
    ("ESP", ipv4([9: 50]), "ip.encrypted 1"),
    ("IPv4 header cut", ipv4([:], keeping: 19), "packets.truncated_header 1"),
    ("TCP header cut", ipv4([:], keeping: 39), "packets.truncated_header 1"),
    ("no room for TCP", ipv4([2: 0, 3: 39]), "tcp.bad_header 1"),
    ("TCP header of four words", ipv4([32: 0x40]), "tcp.bad_header 1"),
    ("TCP header beyond the packet", ipv4([32: 0xf0]), "tcp.bad_header 1"),
    ("IPv6 header cut", ipv6([:], keeping: 39), "packets.truncated_header 1"),
    ("ICMPv6", ipv6([6: 58]), "icmpv6 1"),
    ("extension header cut", ipv6([:], keeping: 44, headers: [0]), "packets.truncated_header 1"),
    ("extension beyond the packet", ipv6([41: 9], headers: [0]), "ip.bad_length 1"),
    (
      "seventeen extension headers", ipv6([:], headers: [UInt8](repeating: 60, count: 17)),
      "ip.bad_length 1"
    ),
  ]

  @Test(arguments: rejected.indices)
  func `a packet that is not a TCP segment has a class`(_ index: Int) {
    let (name, frame, count) = `IP and TCP headers`.rejected[index]
    let transcript = FlowTranscript([frame])
    #expect(transcript.counts == "\(count); ; ", "\(name)")
    #expect(transcript.lines == [])
  }

  @Test func `an authentication header is walked over`() {
    let frame = `IP and TCP headers`.ipv6([6: 51, 40: 6], headers: [51])
    #expect(
      FlowTranscript([frame]).counts
        == "tcp.data 1; tcp.delivered 5; tcp.midstream 1, tcp.one_sided 1")
  }

  @Test func `authentication headers end`() {
    let cut = `IP and TCP headers`.ipv4([9: 51, 20: 51, 21: 4])
    #expect(FlowTranscript([cut]).counts == "ip.bad_length 1; ; ")
    let short = `IP and TCP headers`.ipv4([9: 51, 2: 0, 3: 24])
    #expect(FlowTranscript([short]).counts == "ip.bad_length 1; ; ")
  }

  @Test func `a jumbo payload is as long as its option says`() {
    var script = TCPScript(
      client: Endpoint(host: "fd00::1", port: 40_000),
      server: Endpoint(host: "fd00::2", port: 80))
    let giant = [UInt8](repeating: 0x61, count: 100_000)
    script.handshake()
    script.send(.c2s, giant)
    var builder = PcapBuilder()
    builder.extensionHeaders = [0]
    builder.hasZeroLength = true
    var frames = builder.frames(script.segments)
    // The option's length is that of the packet; what is behind is the link's.
    frames[3].bytes.setInteger(UInt16(0xc204), at: 14 + 40 + 2)
    frames[3].bytes.setInteger(UInt32(8 + 20 + giant.count), at: 14 + 40 + 4)
    frames[3].bytes.writeBytes([1, 2, 3, 4])
    frames[3].originalLength += 4
    let transcript = FlowTranscript(frames)
    #expect(transcript.streams == [FlowID(1): [.c2s: giant]])
    #expect(transcript.counts == "tcp.control 3, tcp.data 1; tcp.delivered 100000; tcp.giant 1")
  }

  @Test func `an IP length beyond the frame counts no bytes that were not there`() {
    let frame = `IP and TCP headers`.ipv4([2: 0x10, 3: 0])
    #expect(
      FlowTranscript([frame]).counts
        == "tcp.data 1; tcp.delivered 5; tcp.midstream 1, tcp.one_sided 1")
  }

  @Test(arguments: [
    ("fd00::1", "fd00::1"), ("::1", "::1"), ("::", "::"), ("1::", "1::"),
    ("1:0:0:2::3", "1:0:0:2::3"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
  ])
  func `IPv6 addresses are written as RFC 5952 wants`(_ wire: String, _ text: String) {
    var script = TCPScript(
      client: Endpoint(host: wire, port: 40_000), server: Endpoint(host: "fe80::9", port: 80))
    script.handshake()
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines.first == "1 opened [\(text)]:40000 > [fe80::9]:80")
  }
}
