import Basics
import Packets
import TestKit
import Testing

struct `Connections` {
  private let opened = "1 opened 10.0.0.1:40000 > 10.0.0.2:80"

  @Test func `a SYN alone is a flow`() {
    var script = TCPScript()
    script.add(.c2s, .syn, [])
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines == [opened, "1 c2s ended capture-end", "1 s2c ended capture-end"])
  }

  @Test func `a SYN/ACK alone shows who dialled`() {
    var script = TCPScript()
    script.add(.s2c, [.syn, .ack], [])
    #expect(FlowTranscript(script.segments).lines.first == opened)
  }

  @Test func `ACKs, FINs and RSTs of unknown connections open no flow`() {
    var script = TCPScript()
    script.acknowledge(.c2s)
    script.finish(.s2c)
    script.reset(.c2s)
    script.add(.c2s, .rst, Array("why".utf8))
    script.send(.c2s, "?")
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines == [])
    #expect(
      transcript.counts == """
        tcp.control 3, tcp.data 1, tcp.keepalive 1; tcp.keepalive 1, tcp.outside_flow 3; 
        """)
  }

  @Test func `data behind a FIN in capture order still belongs to the stream`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "one ")
    script.send(.c2s, "two")
    script.finish(.c2s)
    script.segments.swapAt(4, 5)
    let transcript = FlowTranscript(script.segments)
    #expect(
      transcript.lines == [
        opened, "1 c2s \"one \" @3", "1 c2s \"two\" @4", "1 c2s ended fin",
        "1 s2c ended capture-end",
      ])
  }

  @Test func `a FIN waits for the hole below it`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "lost")
    script.segments.removeLast()
    script.add(.c2s, [.fin, .ack], Array("last".utf8))
    script.acknowledge(.s2c)
    script.wait(milliseconds: 60)
    script.send(.s2c, "answer")
    script.finish(.s2c)
    #expect(
      FlowTranscript(script.segments).lines == [
        opened, "1 c2s gap 4", "1 c2s \"last\" @4", "1 c2s ended fin", "1 s2c \"answer\" @66",
        "1 s2c ended fin",
      ])
  }

  @Test func `the answer may follow the client's FIN`() {
    var script = TCPScript()
    script.handshake()
    script.finish(.c2s)
    script.send(.s2c, "late")
    script.finish(.s2c)
    #expect(
      FlowTranscript(script.segments).lines == [
        opened, "1 c2s ended fin", "1 s2c \"late\" @4", "1 s2c ended fin",
      ])
  }

  @Test func `bytes behind a FIN are counted, not delivered`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "data")
    script.finish(.c2s)
    script.send(.c2s, "more")
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams == [FlowID(1): [.c2s: Array("data".utf8)]])
    #expect(transcript.counts == "tcp.control 4, tcp.data 2; tcp.after_end 4, tcp.delivered 4; ")
  }

  @Test func `a RST ends both directions once and holes become gaps`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "lost")
    script.segments.removeLast()
    script.send(.c2s, "held")
    script.reset(.s2c)
    script.reset(.s2c)
    script.wait(milliseconds: 1_001)
    let end = [
      opened, "1 c2s gap 4", "1 c2s \"held\" @4", "1 c2s ended rst", "1 s2c ended rst",
    ]
    #expect(FlowTranscript(script.segments).lines == end)
    script.acknowledge(.c2s)
    script.send(.c2s, "x")
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines.sorted() == end.sorted())
    #expect(transcript.counts.contains("tcp.after_end 1"))
    #expect(transcript.isBalanced)
  }

  @Test func `bytes that were under way when a RST was seen are delivered`() {
    var script = TCPScript()
    script.handshake()
    script.send(.s2c, "one ")
    script.reset(.c2s)
    script.send(.s2c, "two")
    script.reset(.c2s)
    let transcript = FlowTranscript(script.segments)
    #expect(
      transcript.lines == [
        opened, "1 s2c \"one \" @3", "1 s2c \"two\" @5", "1 c2s ended rst", "1 s2c ended rst",
      ])
    #expect(transcript.counts.hasSuffix("; tcp.data_after_rst 1"))
  }

  @Test(arguments: [Direction.c2s, .s2c])
  func `a RST that was forged does not end a flow whose sender goes on`(_ direction: Direction) {
    var script = TCPScript()
    script.handshake()
    script.send(direction, "one ")
    script.reset(direction)
    script.send(direction, "two ")
    script.wait(milliseconds: 5_000)
    script.send(direction.reversed, "three")
    let transcript = FlowTranscript(script.segments)
    #expect(
      transcript.streams == [
        FlowID(1): [
          direction: Array("one two ".utf8), direction.reversed: Array("three".utf8),
        ]
      ])
    #expect(transcript.lines.suffix(2) == ["1 c2s ended capture-end", "1 s2c ended capture-end"])
    #expect(transcript.counts.hasSuffix("; tcp.data_after_rst 1"))
  }

  @Test func `data long after a RST is another flow`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "one ")
    script.reset(.c2s)
    script.wait(milliseconds: 5_000)
    script.send(.c2s, "GET / HTTP/1.1")
    let transcript = FlowTranscript(script.segments)
    #expect(
      transcript.lines == [
        opened, "1 c2s \"one \" @3", "1 c2s ended rst", "1 s2c ended rst",
        "2 opened 10.0.0.1:40000 ~> 10.0.0.2:80", "2 c2s \"GET / HTTP/1.1\" @5005",
        "2 c2s ended capture-end", "2 s2c ended capture-end",
      ])
    #expect(transcript.counts.contains("; tcp.data_after_rst 1, tcp.midstream 1"))
  }

  @Test func `a RST from outside the window is ignored`() {
    var script = TCPScript()
    script.handshake()
    script.send(.s2c, "data")
    script.acknowledge(.c2s)
    script.reset(.s2c)
    script.segments[5].sequence &-= 2000
    script.reset(.s2c)
    script.segments[6].sequence &+= 1 << 30
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines.suffix(2) == ["1 c2s ended capture-end", "1 s2c ended capture-end"])
    #expect(transcript.counters.events.map { "\($0.name) \($0.count)" } == ["tcp.rst_ignored 2"])
  }

  @Test func `a refused connection ends on both sides`() {
    var script = TCPScript()
    script.add(.c2s, .syn, [])
    script.reset(.s2c)
    let lines = FlowTranscript(script.segments).lines
    #expect(lines == [opened, "1 c2s ended rst", "1 s2c ended rst"])
  }

  @Test func `ports used again are another flow`() {
    var first = TCPScript()
    first.handshake()
    first.send(.c2s, "one")
    first.finish(.c2s)
    first.finish(.s2c)
    var second = TCPScript(clientISN: 1200, serverISN: 9000, start: first.now)
    second.handshake()
    second.send(.c2s, "two")
    let transcript = FlowTranscript(first.segments + second.segments)
    #expect(
      transcript.lines == [
        opened, "1 c2s \"one\" @3", "1 c2s ended fin", "1 s2c ended fin",
        "2 opened 10.0.0.1:40000 > 10.0.0.2:80", "2 c2s \"two\" @9", "2 c2s ended capture-end",
        "2 s2c ended capture-end",
      ])
    #expect(transcript.counts.hasSuffix("; tcp.port_reuse 1"))
  }

  @Test func `a SYN with a far number ends an open flow`() {
    var first = TCPScript()
    first.handshake()
    first.send(.c2s, "one")
    var second = TCPScript(clientISN: 1 << 30, serverISN: 1 << 29, start: first.now)
    second.handshake()
    let lines = FlowTranscript(first.segments + second.segments).lines
    #expect(lines[2..<5] == ["1 c2s ended idle", "1 s2c ended idle", lines[4]])
    #expect(lines[4] == "2 opened 10.0.0.1:40000 > 10.0.0.2:80")
  }

  @Test func `a SYN sent twice is one connection`() {
    var script = TCPScript()
    script.add(.c2s, .syn, [])
    script.segments.append(script.segments[0])
    script.add(.s2c, [.syn, .ack], [])
    script.segments.append(script.segments[2])
    script.send(.c2s, "x1")
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines.prefix(2) == [opened, "1 c2s \"x1\" @2"])
    #expect(transcript.lines.count == 4)
  }

  @Test func `another SYN before any answer is another connection`() {
    var first = TCPScript()
    first.add(.c2s, .syn, [])
    var second = TCPScript(clientISN: 1100, start: first.now)
    second.handshake()
    second.send(.c2s, "hello")
    let lines = FlowTranscript(first.segments + second.segments).lines
    #expect(lines[3...4] == ["2 opened 10.0.0.1:40000 > 10.0.0.2:80", "2 c2s \"hello\" @4"])
  }

  @Test func `a second answer to the same SYN does not move an accepted stream`() {
    var script = TCPScript()
    script.handshake()
    script.segments.append(script.segments[1])
    script.segments[3].sequence = 1 << 30
    script.send(.s2c, "hello")
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines.prefix(2) == [opened, "1 s2c \"hello\" @3"])
    #expect(transcript.counters.events.last?.name == "tcp.syn_ignored")
  }

  @Test func `a second answer to the same SYN counts when nobody took the first`() {
    var script = TCPScript()
    script.handshake()
    var stray = script.segments[1]
    stray.sequence = 1 << 30
    script.segments.insert(stray, at: 1)
    script.send(.s2c, "hello")
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines.prefix(2) == [opened, "1 s2c \"hello\" @3"])
  }

  @Test func `a lost SYN/ACK does not cost the server's first bytes`() {
    var script = TCPScript()
    script.handshake()
    script.segments.remove(at: 1)
    script.send(.s2c, "lost")
    script.segments.removeLast()
    script.send(.s2c, "kept")
    script.acknowledge(.c2s)
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.gaps == [FlowID(1): [.s2c: 4]])
    #expect(transcript.streams == [FlowID(1): [.s2c: Array("kept".utf8)]])
  }

  @Test(arguments: [1...1, 1...2])
  func `a lost SYN/ACK does not delay an answer`(_ lost: ClosedRange<Int>) {
    var script = TCPScript()
    script.handshake()
    script.segments.removeSubrange(lost)
    script.send(.c2s, "GET")
    script.send(.s2c, "hello")
    var table = FlowTable()
    var answers = 0
    for frame in PcapBuilder().frames(script.segments) {
      table.append(frame)
      while let event = table.next() {
        if case .bytes(_, .s2c, _, _) = event { answers += 1 }
      }
    }
    #expect(answers == 1)
  }

  @Test func `closed flows are forgotten after a minute, the oldest at the limit at once`() {
    var limits = FlowLimits()
    limits.flows = 2
    var segments: [TCPSegment] = []
    for port in 1...3 {
      var script = TCPScript(
        client: Endpoint(host: "10.0.0.1", port: 40_000 + port),
        start: TCPScript.epoch + Int64(port) * 1_000_000_000)
      script.handshake()
      segments += script.segments
    }
    let transcript = FlowTranscript(segments, limits: limits)
    #expect(
      transcript.lines == [
        "1 opened 10.0.0.1:40001 > 10.0.0.2:80", "2 opened 10.0.0.1:40002 > 10.0.0.2:80",
        "1 c2s ended idle", "1 s2c ended idle", "3 opened 10.0.0.1:40003 > 10.0.0.2:80",
        "2 c2s ended capture-end", "2 s2c ended capture-end", "3 c2s ended capture-end",
        "3 s2c ended capture-end",
      ])
    #expect(transcript.counts.hasSuffix("; limit.flows 1"))
  }
}
