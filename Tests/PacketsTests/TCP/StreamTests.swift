import Basics
import Packets
import TestKit
import Testing

struct `Stream order` {
  /// A connection with five client segments; indices 3 to 7 are `a` to `e`.
  private func fiveSegments(isn: UInt32 = 1000) -> TCPScript {
    var script = TCPScript(clientISN: isn)
    script.handshake()
    for text in ["aa", "bb", "cc", "dd", "ee"] { script.send(.c2s, text) }
    return script
  }

  private let opened = "1 opened 10.0.0.1:40000 > 10.0.0.2:80"
  private let captureEnd = ["1 c2s ended capture-end", "1 s2c ended capture-end"]

  @Test func `a segment that comes late is put in its place and keeps its time`() {
    var script = fiveSegments()
    let late = script.segments.remove(at: 4)
    script.segments.insert(late, at: 6)
    let transcript = FlowTranscript(script.segments)
    #expect(
      transcript.lines
        == [
          opened, "1 c2s \"aa\" @3", "1 c2s \"bb\" @4", "1 c2s \"cc\" @5", "1 c2s \"dd\" @6",
          "1 c2s \"ee\" @7",
        ] + captureEnd)
    #expect(
      transcript.counts
        == "tcp.control 3, tcp.data 5; tcp.delivered 10; packets.time_backwards 1")
  }

  @Test func `a retransmission is dropped and the first time stays`() {
    var script = fiveSegments()
    var again = script.segments[4]
    again.at = script.now
    again.identification = 99
    script.segments.insert(again, at: 5)
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines[2] == "1 c2s \"bb\" @4")
    #expect(
      transcript.counts == """
        tcp.control 3, tcp.data 6; tcp.delivered 10, tcp.retransmitted 2; packets.time_backwards 1
        """)
  }

  @Test(arguments: [64, 63] as [UInt8])
  func `a packet captured twice is told from one sent twice`(_ hopLimit: UInt8) {
    var script = fiveSegments()
    var copy = script.segments[4]
    copy.hopLimit = hopLimit
    script.segments.insert(copy, at: 5)
    script.segments.insert(script.segments[0], at: 1)
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams == [FlowID(1): [.c2s: Array("aabbccddee".utf8)]])
    #expect(
      transcript.counts == """
        packets.duplicate 2, tcp.control 3, tcp.data 5; tcp.delivered 10, tcp.duplicate 2; 
        """)
  }

  @Test func `a copy behind another tag is a copy, one after ten milliseconds is not`() {
    let script = fiveSegments()
    var tagged = PcapBuilder()
    tagged.vlanTags = [0x8100]
    var frames = script.segments.flatMap { [PcapBuilder().frame($0), tagged.frame($0)] }
    frames[11].at = frames[11].at + 10_000_001
    #expect(
      FlowTranscript(frames).counts == """
        packets.duplicate 7, tcp.control 3, tcp.data 6; \
        tcp.delivered 10, tcp.duplicate 8, tcp.retransmitted 2; packets.time_backwards 1
        """)
  }

  @Test func `overlaps are trimmed at both ends and the first copy wins`() {
    var script = TCPScript()
    script.handshake()
    let base = script.clientNext
    func segment(_ offset: UInt32, _ text: String) {
      script.add(.c2s, .ack, Array(text.utf8))
      script.segments[script.segments.count - 1].sequence = base &+ offset
    }
    segment(0, "abcd")
    segment(8, "ijkl")
    segment(2, "CDEFGHIJKLMN")
    let transcript = FlowTranscript(script.segments)
    #expect(
      transcript.lines
        == [
          opened, "1 c2s \"abcd\" @3", "1 c2s \"EFGH\" @5", "1 c2s \"ijkl\" @4", "1 c2s \"MN\" @5",
        ] + captureEnd)
    #expect(
      transcript.counts == """
        tcp.control 3, tcp.data 3; tcp.delivered 14, tcp.overlap 6; tcp.overlap_conflict 1
        """)
  }

  @Test func `an overlap with the same bytes is no conflict`() {
    var script = fiveSegments()
    script.segments[5].sequence -= 1
    script.segments[5].payload = Array("bcc".utf8)
    script.segments.swapAt(4, 5)
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams[FlowID(1)]?[.c2s] == Array("aabbccddee".utf8))
    #expect(
      transcript.counts == """
        tcp.control 3, tcp.data 5; tcp.delivered 10, tcp.overlap 1; packets.time_backwards 1
        """)
  }

  @Test(arguments: [0, 1, 2, 5, 9, 11, 0x8000_0003] as [UInt32])
  func `sequence numbers wrap`(_ below: UInt32) {
    var script = fiveSegments(isn: UInt32.max - below)
    script.segments.swapAt(4, 6)
    script.segments.append(script.segments[3])
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams == [FlowID(1): [.c2s: Array("aabbccddee".utf8)]])
    #expect(transcript.gaps == [:])
  }

  @Test func `a stream may be longer than four gigabytes`() {
    // Sixteen jumps of 15 MiB wrap nothing; three hundred wrap the number more than once.
    var script = TCPScript()
    script.handshake()
    let step: UInt32 = 15 << 20
    var sequence = script.clientNext
    var segments = script.segments
    for i in 0..<300 {
      sequence &+= step
      var segment = TCPSegment(
        from: script.client, to: script.server, sequence: sequence, payload: [UInt8(i & 0xff)],
        at: TCPScript.epoch + Int64(i) * 61_000_000_000)
      segments.append(segment)
      sequence &+= 1
      (segment.from, segment.to) = (segment.to, segment.from)
      segment.payload = []
      segment.acknowledgement = sequence
      segment.sequence = script.serverNext
      segments.append(segment)
    }
    let transcript = FlowTranscript(segments)
    #expect(transcript.gaps == [FlowID(1): [.c2s: 300 * Int(step)]])
    #expect(transcript.streams[FlowID(1)]?[.c2s] == (0..<300).map { UInt8($0 & 0xff) })
  }

  @Test func `a keep-alive probe is not data`() {
    var script = fiveSegments()
    for payload in [[], [UInt8(0)]] {
      script.acknowledge(.c2s)
      script.segments[script.segments.count - 1].sequence = script.clientNext &- 1
      script.segments[script.segments.count - 1].payload = payload
      script.acknowledge(.s2c)
    }
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams == [FlowID(1): [.c2s: Array("aabbccddee".utf8)]])
    #expect(
      transcript.counts == """
        tcp.control 5, tcp.data 5, tcp.keepalive 2; tcp.delivered 10, tcp.keepalive 1; 
        """)
  }

  @Test func `bytes far from the window are not held`() {
    var script = fiveSegments()
    script.send(.c2s, "far")
    script.segments[8].sequence &+= 17 << 20
    script.send(.c2s, "old")
    script.segments[9].sequence &-= 17 << 20
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.gaps == [:])
    #expect(
      transcript.counts == "tcp.control 3, tcp.data 7; tcp.delivered 10, tcp.out_of_window 6; ")
  }

  @Test func `segments far ahead that continue each other move the stream`() {
    var script = fiveSegments()
    script.segments.removeSubrange(6...)
    for i in 0..<5 {
      script.send(.c2s, "f\(i)")
      script.segments[script.segments.count - 1].sequence &+= 17 << 20
    }
    let transcript = FlowTranscript(script.segments)
    #expect(
      transcript.lines.suffix(5)
        == ["1 c2s gap \(17 << 20 + 10)", "1 c2s \"f3\" @11", "1 c2s \"f4\" @12"] + captureEnd)
    #expect(transcript.isBalanced)
  }

  @Test func `data of a SYN counts once the peer has taken it`() {
    for (acknowledged, stream) in [(true, "early late"), (false, "late")] {
      var script = TCPScript()
      script.add(.c2s, .syn, Array("early ".utf8))
      script.add(.s2c, [.syn, .ack], [])
      if !acknowledged {
        script.segments[1].acknowledgement &-= 6
        script.send(.c2s, "late")
        script.segments[2].sequence &-= 6
      } else {
        script.send(.c2s, "late")
      }
      let transcript = FlowTranscript(script.segments)
      #expect(transcript.streams == [FlowID(1): [.c2s: Array(stream.utf8)]])
      #expect(transcript.isBalanced)
    }
  }

  @Test func `data of a SYN counts when that is all there is`() {
    var script = TCPScript()
    script.add(.c2s, .syn, Array("early".utf8))
    let alone = FlowTranscript(script.segments)
    #expect(alone.streams == [FlowID(1): [.c2s: Array("early".utf8)]])
    #expect(alone.isBalanced)
    // Sent again without an answer: whether it was taken is open.
    var again = script.segments[0]
    again.identification = 9
    again.at = again.at + 1_000_000_000
    again.payload = []
    let repeated = FlowTranscript(script.segments + [again])
    #expect(repeated.streams == [:])
    #expect(repeated.counts.contains("tcp.syn_data_unacked 5"))
    #expect(repeated.isBalanced)
  }
}
