import Basics
import NIOCore
import Packets
import TestKit
import Testing

struct `Gaps` {
  private let id = FlowID(1)

  /// Client sends `count` segments of four bytes; the one at `lost` is not captured.
  private func script(count: Int, lost: Int) -> TCPScript {
    var script = TCPScript()
    script.handshake()
    for i in 0..<count {
      script.send(.c2s, "<\(i % 10)0>")
      if i == lost { script.segments.removeLast() }
    }
    return script
  }

  /// Handshakes of other connections.
  private func others(_ count: Int, from now: Timestamp) -> [TCPSegment] {
    var segments: [TCPSegment] = []
    for port in 0..<count {
      var other = TCPScript(client: Endpoint(host: "10.0.0.9", port: 50_000 + port), start: now)
      other.step = 0
      other.wait(milliseconds: Int64(port) * 5)
      other.handshake()
      segments += other.segments
    }
    return segments
  }

  @Test func `a hole that the peer acknowledged is given up after 50 ms and 32 packets`() {
    var script = script(count: 3, lost: 1)
    script.acknowledge(.s2c)
    let acknowledged = script.segments
    let since = acknowledged[acknowledged.count - 1].at
    func late(_ milliseconds: Int64, _ handshakes: Int) -> [String] {
      let now = since + milliseconds * 1_000_000
      return lines(before: (acknowledged + others(handshakes, from: now))[...])
        .filter { $0.hasPrefix("gap") }
    }
    #expect(late(1, 9) == [])
    #expect(late(51, 9) == [])
    #expect(late(51, 40) == ["gap 4"])
    #expect(late(59_999, 1) == [])
    #expect(late(60_000, 1) == ["gap 4"])
  }

  @Test func `a hole that nobody acknowledged waits for its retransmission`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "one ")
    script.send(.c2s, "two ")
    let lost = script.segments.removeLast()
    script.send(.c2s, "three")
    for _ in 0..<100 {
      script.wait(milliseconds: 10)
      script.acknowledge(.s2c)
      script.segments[script.segments.count - 1].acknowledgement = lost.sequence
    }
    script.segments.append(lost)
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams == [id: [.c2s: Array("one two three".utf8)]])
    #expect(transcript.gaps == [:])
  }

  @Test(arguments: [true, false])
  func `a FIN ends the wait only where the peer is not heard`(_ isPeerHeard: Bool) {
    var script = script(count: 3, lost: 1)
    script.finish(.c2s)
    if isPeerHeard {
      script.acknowledge(.s2c)
      script.segments[script.segments.count - 1].acknowledgement = 1005
    } else {
      script.segments.removeAll { $0.from == script.server }
    }
    var other = TCPScript(client: Endpoint(host: "10.0.0.9", port: 50_000), start: script.now)
    other.handshake()
    other.wait(milliseconds: 10_050)
    other.acknowledge(.s2c)
    let late = lines(before: (script.segments + other.segments)[...])
    #expect(late.filter { $0.hasPrefix("gap") } == (isPeerHeard ? [] : ["gap 4"]))
  }

  @Test func `64 segments of the flow are enough when the clock stands still`() {
    var script = script(count: 3, lost: 1)
    script.step = 0
    for _ in 0..<65 { script.acknowledge(.s2c) }
    let late = lines(before: script.segments[...])
    #expect(late.suffix(2) == ["gap 4", "bytes 4"])
  }

  @Test func `an answer waits for the question that its sender has acknowledged`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "question")
    script.send(.s2c, "answer")
    script.send(.s2c, " in two")
    let question = script.segments.remove(at: 3)
    let late = FlowTranscript(script.segments + [question])
    #expect(
      late.lines[1...3] == [
        "1 c2s \"question\" @3", "1 s2c \"answer\" @4", "1 s2c \" in two\" @5",
      ])
    let lost = FlowTranscript(script.segments)
    #expect(
      lost.lines[1...4] == [
        "1 c2s gap 8", "1 s2c \"answer\" @4", "1 s2c \" in two\" @5", "1 c2s ended capture-end",
      ])
  }

  @Test func `what both sides held comes out in the order of time`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "one")
    script.send(.s2c, "lost")
    for (question, answer) in [("two", "second"), ("three", "third")] {
      script.send(.c2s, question)
      script.send(.s2c, answer)
    }
    script.segments.remove(at: 4)
    let said = FlowTranscript(script.segments).lines
    #expect(
      said[1...6] == [
        "1 c2s \"one\" @3", "1 s2c gap 4", "1 c2s \"two\" @5", "1 s2c \"second\" @6",
        "1 c2s \"three\" @7", "1 s2c \"third\" @8",
      ])
  }

  @Test func `what waits for a hole waits for the next one too`() {
    var script = TCPScript()
    script.handshake()
    for (question, answer) in [("lost", "first"), ("gone", "second"), ("kept", "third")] {
      script.send(.c2s, question)
      script.send(.s2c, answer)
    }
    script.segments.removeAll {
      $0.payload == Array("lost".utf8) || $0.payload == Array("gone".utf8)
    }
    for _ in 0..<130 {
      script.wait(milliseconds: 10)
      script.acknowledge(.s2c)
    }
    #expect(
      FlowTranscript(script.segments).lines[1...6] == [
        "1 c2s gap 4", "1 c2s gap 4", "1 s2c \"first\" @4", "1 s2c \"second\" @6",
        "1 c2s \"kept\" @7", "1 s2c \"third\" @8",
      ])
  }

  @Test func `what was kept until the client was known comes out in the order of time`() {
    var script = TCPScript()
    script.step = 40_000_000
    script.handshake()
    script.send(.c2s, "GET / HTTP/1.1")
    script.send(.s2c, "HTTP/1.1 200 OK")
    let talk = Array(script.segments.dropFirst(3))
    // The wait for an earlier beginning is over on both sides when the server's is looked at.
    let since = talk[1].at
    let late = others(6, from: since + 1_000_000) + others(30, from: since + 55_000_000)
    #expect(
      FlowTranscript(talk + late).lines.filter { $0.hasPrefix("1 ") && !$0.contains("ended") } == [
        "1 opened 10.0.0.1:40000 ~> 10.0.0.2:80", "1 c2s \"GET / HTTP/1.1\" @120",
        "1 s2c \"HTTP/1.1 200 OK\" @160",
      ])
  }

  @Test func `an answer waits for a question that waits for an earlier beginning`() {
    var script = TCPScript()
    script.step = 100_000_000
    script.handshake()
    script.send(.s2c, "HTTP/1.1 200 of a lost question")
    script.send(.c2s, "GET / HTTP/1.1")
    script.step = 1_000_000
    script.send(.s2c, "HTTP/1.1 200 OK")
    let talk = Array(script.segments.dropFirst(3))
    // The server's beginning is settled before the client's.
    let early = others(11, from: talk[0].at + 1_000_000)
    let late = others(30, from: talk[2].at + 60_000_000)
    #expect(
      FlowTranscript(talk[..<1] + early + talk[1...] + late).lines
        .filter { $0.hasPrefix("1 ") && !$0.contains("ended") } == [
          "1 opened 10.0.0.1:40000 ~> 10.0.0.2:80",
          "1 s2c \"HTTP/1.1 200 of a lost question\" @300", "1 c2s \"GET / HTTP/1.1\" @400",
          "1 s2c \"HTTP/1.1 200 OK\" @500",
        ])
  }

  @Test func `an answer of a megabyte does not wait`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "question")
    script.segments.removeLast()
    script.step = 1
    let chunk = [UInt8](repeating: 0x61, count: 32_768)
    for _ in 0..<33 { script.send(.s2c, chunk) }
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.gaps == [id: [.c2s: 8]])
    #expect(transcript.streams[id]?[.s2c]?.count == 33 * 32_768)
    #expect(transcript.counts.hasSuffix("; limit.held_bytes 1, tcp.gap_bytes 8, tcp.gaps 1"))
  }

  @Test func `an ACK captured before its data is no gap`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "one")
    script.acknowledge(.s2c)
    script.segments.swapAt(3, 4)
    script.send(.c2s, "two")
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.gaps == [:])
    #expect(transcript.streams == [id: [.c2s: Array("onetwo".utf8)]])
  }

  @Test func `a megabyte above a hole ends the wait`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "lost")
    script.segments.removeLast()
    let chunk = [UInt8](repeating: 0x61, count: 32_768)
    for _ in 0..<33 { script.send(.c2s, chunk) }
    let late = lines(before: script.segments[...])
    #expect(late.dropFirst().first == "gap 4")
    #expect(late.count == 35)
    #expect(
      FlowTranscript(script.segments).counters.events.map { "\($0.name) \($0.count)" }
        == ["limit.held_bytes 1", "tcp.gap_bytes 4", "tcp.gaps 1"])
  }

  @Test func `all flows together hold no more than the limit`() {
    var limits = FlowLimits()
    limits.heldInTotal = 100_000
    var segments: [TCPSegment] = []
    for port in 0..<50 {
      var script = TCPScript(client: Endpoint(host: "10.0.0.1", port: 40_000 + port))
      script.handshake()
      script.send(.c2s, "lost")
      script.segments.removeLast()
      for _ in 0..<4 { script.send(.c2s, [UInt8](repeating: 0x61, count: 1000)) }
      segments += script.segments
    }
    let transcript = FlowTranscript(segments, limits: limits)
    #expect(transcript.counters.events.first { $0.name == "limit.held_bytes_total" } != nil)
    #expect(transcript.streams.values.allSatisfy { $0[.c2s]?.count == 4000 })
    #expect(transcript.gaps.values.allSatisfy { $0[.c2s] == 4 })
    #expect(transcript.isBalanced)
  }

  @Test func `what a snap length cut off is a gap at once`() {
    var builder = PcapBuilder()
    builder.snapLength = 14 + 20 + 20 + 3
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "abcdef")
    script.send(.c2s, "ghijkl")
    let frames = builder.frames(script.segments)
    #expect(
      lines(before: frames) == [
        "1 opened 10.0.0.1:40000 > 10.0.0.2:80", "bytes 3", "gap 3", "bytes 3", "gap 3",
      ])
    #expect(
      FlowTranscript(frames).counts == """
        tcp.control 3, tcp.data 2; tcp.delivered 6; \
        tcp.gap_bytes 6, tcp.gaps 2, tcp.truncated_bytes 6
        """)
  }

  @Test func `a snap length may end inside the TCP options`() {
    var builder = PcapBuilder()
    builder.snapLength = 14 + 20 + 20 + 3
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "abcdef")
    var frames = builder.frames(script.segments)
    // Six words of header: four of its bytes are options, three of those were captured.
    frames[3].bytes.setInteger(0x60 as UInt8, at: 14 + 20 + 12)
    #expect(
      FlowTranscript(frames).counts == """
        tcp.control 3, tcp.data 1; ; \
        tcp.gap_bytes 2, tcp.gaps 1, tcp.truncated_bytes 2
        """)
  }

  @Test func `lost bytes at the end count when the peer acknowledged them`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "seen")
    script.send(.c2s, "lost")
    script.segments.removeLast()
    script.acknowledge(.s2c)
    #expect(FlowTranscript(script.segments).gaps == [id: [.c2s: 4]])
  }

  @Test func `the ACK of a FIN that was not captured is no gap`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "seen")
    script.finish(.c2s)
    script.segments.removeLast()
    script.acknowledge(.s2c)
    script.wait(milliseconds: 500)
    script.acknowledge(.s2c)
    #expect(FlowTranscript(script.segments).gaps == [:])
  }

  @Test func `a silent flow gives up its holes after ten minutes and goes on`() {
    var script = script(count: 3, lost: 1)
    script.wait(milliseconds: 601_000)
    var other = TCPScript(client: Endpoint(host: "10.0.0.9", port: 50_000), start: script.now)
    other.handshake()
    script.now = other.now
    script.send(.c2s, "back")
    let segments = script.segments.dropLast() + other.segments + script.segments.suffix(1)
    let transcript = FlowTranscript(Array(segments))
    #expect(
      transcript.lines.filter { $0.hasPrefix("1 ") }.suffix(5) == [
        "1 c2s gap 4", "1 c2s \"<20>\" @5", "1 c2s \"back\" @601009", "1 c2s ended capture-end",
        "1 s2c ended capture-end",
      ])
  }

  /// Returns what the table has said before `finish`, bytes and gaps by their length.
  private func lines(before segments: ArraySlice<TCPSegment>) -> [String] {
    lines(before: PcapBuilder().frames(Array(segments)))
  }

  private func lines(before frames: [CapturedFrame]) -> [String] {
    var table = FlowTable()
    var lines: [String] = []
    for frame in frames {
      table.append(frame)
      while let event = table.next() {
        switch event {
        case .opened(let id, let ends, _):
          lines.append("\(id.number) opened \(ends.client) > \(ends.server)")
        case .bytes(_, _, let bytes, _): lines.append("bytes \(bytes.readableBytes)")
        case .gap(_, _, let count, _): lines.append("gap \(count)")
        case .ended(_, let direction, let how, _):
          lines.append("\(direction.name) ended \(how.rawValue)")
        }
      }
    }
    return lines
  }
}
