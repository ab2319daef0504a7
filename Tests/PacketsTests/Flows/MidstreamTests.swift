import Basics
import Packets
import TestKit
import Testing

struct `Mid-stream` {
  /// One direction's first words, sent from `from` to `to`, and what the flow should be.
  struct Start: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var from: Int
    var to: Int
    var text: String
    var opened: String
  }

  @Test(arguments: [
    Start(
      testDescription: "a request shows the client", from: 5000, to: 6000,
      text: "POST /mcp HTTP/1.1",
      opened: "10.0.0.1:5000 ~> 10.0.0.2:6000"),
    Start(
      testDescription: "a status line shows the server", from: 5000, to: 6000,
      text: "HTTP/1.1 200 OK", opened: "10.0.0.2:6000 ~> 10.0.0.1:5000"),
    Start(
      testDescription: "content outranks ports", from: 80, to: 50_000, text: "GET / HTTP/1.1",
      opened: "10.0.0.1:80 ~> 10.0.0.2:50000"),
    Start(
      testDescription: "an ephemeral port is the client's", from: 8000, to: 50_000, text: "data: x",
      opened: "10.0.0.2:50000 ~> 10.0.0.1:8000"),
    Start(
      testDescription: "a server's hello", from: 50_000, to: 8443,
      text: "\u{16}\u{3}\u{3}\u{0}\u{50}\u{2}", opened: "10.0.0.2:8443 ~> 10.0.0.1:50000"),
    Start(
      testDescription: "else the higher port is the client's", from: 40_000, to: 50_000,
      text: "data: x", opened: "10.0.0.2:50000 ~> 10.0.0.1:40000"),
  ])
  func `the client is guessed`(_ start: Start) {
    var script = TCPScript(
      client: Endpoint(host: "10.0.0.1", port: start.from),
      server: Endpoint(host: "10.0.0.2", port: start.to))
    script.send(.c2s, start.text)
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.lines.first == "1 opened \(start.opened)")
    #expect(transcript.counts.hasSuffix("; tcp.midstream 1, tcp.one_sided 1"))
  }

  @Test func `later bytes may tell, and nothing is lost meanwhile`() {
    var script = TCPScript(
      client: Endpoint(host: "10.0.0.1", port: 40_000),
      server: Endpoint(host: "10.0.0.2", port: 50_000))
    script.send(.s2c, "data: x")
    script.send(.c2s, "POST / HTTP/1.1")
    #expect(
      FlowTranscript(script.segments).lines.filter { !$0.contains("ended") } == [
        "1 opened 10.0.0.1:40000 ~> 10.0.0.2:50000", "1 s2c \"data: x\" @0",
        "1 c2s \"POST / HTTP/1.1\" @1",
      ])
  }

  @Test func `a stream begins with the lowest bytes that come within patience`() {
    var script = TCPScript()
    script.send(.c2s, "early")
    script.send(.c2s, "before")
    script.send(.c2s, "first")
    script.segments.swapAt(1, 2)
    let early = script.segments.removeFirst()
    for _ in 0..<64 { script.send(.c2s, "+") }
    script.segments.append(early)
    let transcript = FlowTranscript(script.segments)
    let all = "beforefirst" + String(repeating: "+", count: 64)
    #expect(transcript.streams == [FlowID(1): [.c2s: Array(all.utf8)]])
    #expect(transcript.counts.contains("tcp.before_start 5, tcp.delivered 75"))
    #expect(transcript.isBalanced)
  }

  @Test(arguments: [[3, 0, 1, 2, 4], [4, 3, 2, 1, 0], [3, 4, 0, 1, 2], [1, 0, 3, 2, 4]])
  func `a handshake captured behind its data is still the start`(_ order: [Int]) {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "ping")
    script.send(.s2c, "pong")
    let transcript = FlowTranscript(order.map { script.segments[$0] })
    #expect(transcript.lines.first == "1 opened 10.0.0.1:40000 > 10.0.0.2:80")
    #expect(
      transcript.streams
        == [FlowID(1): [.c2s: Array("ping".utf8), .s2c: Array("pong".utf8)]])
    #expect(transcript.gaps == [:])
  }

  @Test func `a first byte that was pushed is data, and opens a flow`() {
    var script = TCPScript()
    script.add(.c2s, [.ack, .psh], [0x47])
    script.send(.c2s, "ET / HTTP/1.1")
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams[FlowID(1)]?[.c2s] == Array("GET / HTTP/1.1".utf8))
  }

  @Test func `urgent data is part of the stream, and counted`() {
    var script = TCPScript()
    script.handshake()
    script.add(.c2s, [.ack, .urg], Array("now".utf8))
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams == [FlowID(1): [.c2s: Array("now".utf8)]])
    #expect(transcript.counts.hasSuffix("; tcp.urgent 1"))
  }

  @Test func `a keep-alive probe does not set where a stream begins`() {
    var script = TCPScript()
    script.send(.s2c, "HTTP/1.1 200 OK")
    script.add(.c2s, .ack, [0])
    script.send(.c2s, "GET / HTTP/1.1")
    script.segments[1].sequence &-= 1
    script.segments[2].sequence &-= 1
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams[FlowID(1)]?[.c2s] == Array("GET / HTTP/1.1".utf8))
    #expect(transcript.counts.contains("tcp.keepalive 1;"))
  }
}
