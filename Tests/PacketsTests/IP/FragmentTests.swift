import Basics
import NIOCore
import Packets
import TestKit
import Testing

struct `IP fragments` {
  private let text = String((0..<100).map { Character(UnicodeScalar(0x30 + UInt8($0 % 60))) })

  /// A handshake and one segment of 100 bytes as raw IP; the fourth frame is the one to cut.
  private func frames(isIPv6: Bool = false) -> [CapturedFrame] {
    var script =
      isIPv6
      ? TCPScript(
        client: Endpoint(host: "fd00::1", port: 40_000),
        server: Endpoint(host: "fd00::2", port: 80))
      : TCPScript()
    script.handshake()
    script.send(.c2s, text)
    var builder = PcapBuilder()
    builder.linkType = .raw
    return builder.frames(script.segments)
  }

  /// Gives the frames one millisecond each.
  private func timed(_ frames: [CapturedFrame]) -> [CapturedFrame] {
    frames.enumerated().map { index, frame in
      var frame = frame
      frame.at = TCPScript.epoch + Int64(index) * 1_000_000
      return frame
    }
  }

  @Test(arguments: [false, true], [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]])
  func `a datagram is whole whatever the order, at the time of the piece that was missing`(
    _ isIPv6: Bool, _ order: [Int]
  ) {
    let whole = frames(isIPv6: isIPv6)
    let pieces = whole[3].fragmented(at: [24, 64], identification: 9)
    let transcript = FlowTranscript(timed(whole.prefix(3) + order.map { pieces[$0] }))
    #expect(transcript.lines[1] == "1 c2s \"\(text)\" @5")
    #expect(
      transcript.counts == """
        ip.fragments 2, tcp.control 3, tcp.data 1; tcp.delivered 100; ip.reassembled 1
        """)
    #expect(transcript.isBalanced)
  }

  @Test func `the first copy of a byte wins and copies do no harm`() {
    let whole = frames()
    let pieces = whole[3].fragmented(at: [24, 64], identification: 9)
    var other = pieces[1]
    other.bytes.setRepeatingByte(0x21, count: 40, at: 20)
    let transcript = FlowTranscript(
      timed(whole.prefix(3) + [pieces[0], pieces[1], other, pieces[0], pieces[2]]))
    #expect(transcript.streams == [FlowID(1): [.c2s: Array(text.utf8)]])
    #expect(transcript.counts.hasPrefix("ip.fragments 4, tcp.control 3, tcp.data 1;"))
  }

  @Test func `overlapping cuts agree`() {
    let whole = frames()
    let cuts = [[8, 104], [48], [64, 72], [16, 80]].flatMap {
      whole[3].fragmented(at: $0, identification: 9)
    }
    for skip in 0..<4 {
      let transcript = FlowTranscript(timed(Array(whole.prefix(3)) + Array(cuts[skip...])))
      #expect(transcript.streams == [FlowID(1): [.c2s: Array(text.utf8)]])
      #expect(transcript.isBalanced)
    }
  }

  @Test func `datagrams are told apart by number and protocol`() {
    let whole = frames()
    let ours = whole[3].fragmented(at: [24], identification: 9)
    let theirs = whole[2].fragmented(at: [8], identification: 10)
    let transcript = FlowTranscript(
      timed(whole.prefix(2) + [ours[0], theirs[0], ours[1], theirs[1]]))
    #expect(transcript.streams == [FlowID(1): [.c2s: Array(text.utf8)]])
    #expect(transcript.counts.hasSuffix("ip.reassembled 2"))
  }

  @Test func `a missing piece is given up after thirty seconds and the stream shows the hole`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, text)
    script.send(.c2s, "after")
    script.acknowledge(.s2c)
    script.wait(milliseconds: 31_000)
    script.acknowledge(.c2s)
    var builder = PcapBuilder()
    builder.linkType = .raw
    var all = builder.frames(script.segments)
    let pieces = all[3].fragmented(at: [24, 64], identification: 9)
    all.replaceSubrange(3...3, with: [pieces[0], pieces[2]])
    let transcript = FlowTranscript(all)
    #expect(
      transcript.counts == """
        ip.fragments 2, tcp.control 5, tcp.data 1; tcp.delivered 5; \
        ip.fragments_expired 1, tcp.gap_bytes 100, tcp.gaps 1
        """)
    let late = FlowTranscript(all + [pieces[1]])
    #expect(late.counters.events.first { $0.name == "ip.fragments_expired" }?.count == 2)
  }

  @Test func `what a snap length cut off a piece is a gap at once`() {
    let whole = frames()
    var pieces = whole[3].fragmented(at: [24, 64], identification: 9)
    pieces[1].bytes = pieces[1].bytes.getSlice(at: 0, length: 30) ?? ByteBuffer()
    let transcript = FlowTranscript(timed(whole.prefix(3) + pieces))
    // Fourteen bytes behind TCP's header came whole; what lies behind a cut is not put back.
    #expect(transcript.streams == [FlowID(1): [.c2s: Array(text.utf8.prefix(14))]])
    #expect(transcript.gaps == [FlowID(1): [.c2s: 86]])
    #expect(transcript.counts.contains("tcp.truncated_bytes 86"))
  }

  @Test func `an atomic fragment waits for nothing`() {
    let whole = frames(isIPv6: true)
    let transcript = FlowTranscript(
      whole.prefix(3) + whole[3].fragmented(at: [], identification: 9))
    #expect(transcript.counts == "tcp.control 3, tcp.data 1; tcp.delivered 100; ")
  }

  @Test func `fragments inside and around tunnels`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, text)
    var builder = PcapBuilder()
    builder.linkType = .raw
    builder.wrappers = [
      .ethernet(0x0800), .bytes([8, 0, 0, 0, 0, 0, 1, 0]), .udp(4789), .ipv4(17),
    ]
    let outer = builder.frames(script.segments).enumerated().flatMap { index, frame in
      frame.fragmented(at: [16, 40], identification: UInt16(index))
    }
    #expect(
      FlowTranscript(outer).counts == """
        ip.fragments 8, tcp.control 3, tcp.data 1; tcp.delivered 100; ip.reassembled 4
        """)
    builder.wrappers = []
    let inner = builder.frames(script.segments).enumerated().flatMap { index, frame in
      frame.fragmented(at: [8], identification: UInt16(index)).map { piece in
        var piece = piece
        piece.bytes = Wrapper.ipv4(4).wrap(piece.bytes)
        return piece
      }
    }
    let pieces = inner.enumerated().flatMap { index, frame in
      frame.fragmented(at: [16], identification: UInt16(100 + index))
    }
    let transcript = FlowTranscript(pieces)
    #expect(transcript.streams == [FlowID(1): [.c2s: Array(text.utf8)]])
    #expect(transcript.isBalanced)
  }

  @Test func `pieces that contradict each other are counted`() {
    let whole = frames()
    let pieces = whole[3].fragmented(at: [24, 64], identification: 9)
    var beyond = pieces[1]
    beyond.bytes.setInteger(UInt16(0x2000 | 8100), at: 6)
    var last = pieces[2]
    last.bytes.setInteger(UInt16(1), at: 6)
    let transcript = FlowTranscript(
      timed(whole.prefix(3) + [pieces[2], beyond, last, pieces[0], pieces[1]]))
    #expect(transcript.streams == [FlowID(1): [.c2s: Array(text.utf8)]])
    #expect(transcript.counts.hasSuffix("ip.fragment_conflict 2, ip.reassembled 1"))
  }

  @Test func `a datagram has no more than 65535 bytes and 64 pieces`() {
    var piece = frames()[3].fragmented(at: [24, 64], identification: 9)[1]
    piece.bytes.setInteger(UInt16(0x3fff), at: 6)
    #expect(FlowTranscript([piece]).counts == "ip.fragments 1; ; ip.oversized_datagram 1")
    let many = frames()[3].fragmented(at: (1...14).map { $0 * 8 }, identification: 9)[3]
    let pieces = (0..<65).map { index in
      var piece = many
      piece.bytes.setInteger(UInt16(0x2000 | index), at: 6)
      return piece
    }
    #expect(FlowTranscript(pieces).counts == "ip.fragments 65; ; limit.ip_fragments 1")
  }

  @Test func `a flood of pieces is held up to sixteen megabytes`() {
    let piece = frames()[3].fragmented(at: [24, 64], identification: 9)[1]
    var table = FlowTable()
    for number in 0..<40_000 {
      var next = piece
      next.bytes.setInteger(UInt16(truncatingIfNeeded: number), at: 4)
      next.bytes.setInteger(UInt8(truncatingIfNeeded: number >> 16), at: 15)
      table.append(next)
    }
    table.finish()
    let events = Dictionary(uniqueKeysWithValues: table.counters.events.map { ($0.name, $0.count) })
    #expect(events["ip.fragments_expired"] == 40_000)
    // Each costs 40 bytes, 256 for its buffer and 256 for its datagram.
    #expect(events["limit.ip_fragments"] == 40_000 - (16 << 20) / 552)
  }
}
