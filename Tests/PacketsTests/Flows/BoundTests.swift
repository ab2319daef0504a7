import Basics
import NIOCore
import Packets
import TestKit
import Testing

struct `Bounds of memory` {
  private func count(_ table: borrowing FlowTable, _ name: String) -> Int {
    table.counters.events.first { $0.name == name }?.count ?? 0
  }

  @Test func `a byte far ahead costs a byte`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "xx")
    script.segments[3].sequence &+= 15 << 20
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.gaps == [FlowID(1): [.c2s: 15 << 20]])
    #expect(transcript.streams == [FlowID(1): [.c2s: Array("xx".utf8)]])
    #expect(!transcript.counts.contains("limit"))
  }

  @Test func `a flood of SYNs does not push out a connection`() {
    var limits = FlowLimits()
    limits.flows = 100
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "before")
    var flood: [TCPSegment] = []
    for port in 0..<1000 {
      var other = TCPScript(
        client: Endpoint(host: "10.9.9.9", port: 1024 + port), start: script.now)
      other.add(.c2s, .syn, [])
      flood += other.segments
    }
    script.now = script.now + 1_000_000_000
    let before = script.segments
    script.segments = []
    script.send(.c2s, " after")
    let transcript = FlowTranscript(before + flood + script.segments, limits: limits)
    #expect(transcript.streams == [FlowID(1): [.c2s: Array("before after".utf8)]])
    #expect(transcript.counts.hasSuffix("; limit.flows 901"))
  }

  @Test func `a hundred thousand flows are remembered and found again`() {
    var table = FlowTable()
    var builder = PcapBuilder()
    builder.linkType = .raw
    func frame(_ flow: Int, _ sequence: UInt32, _ flags: TCPSegment.Flags, _ payload: [UInt8])
      -> CapturedFrame
    {
      builder.frame(
        TCPSegment(
          from: Endpoint(host: "10.0.\(flow >> 16).1", port: flow & 0xffff),
          to: Endpoint(host: "10.1.0.1", port: 80), sequence: sequence, flags: flags,
          payload: payload, at: TCPScript.epoch))
    }
    for flow in 0..<100_000 { table.append(frame(flow, 1, .syn, [])) }
    for flow in 0..<100_000 { table.append(frame(flow, 2, .ack, [1, 2, 3])) }
    #expect(count(table, "limit.flows") == 0)
    #expect(count(table, "tcp.midstream") == 0)
    #expect(table.counters.payloadBytes.map(\.name) == ["tcp.delivered"])
    table.append(frame(100_000, 1, .syn, []))
    #expect(count(table, "limit.flows") == 1)
    while table.next() != nil {}
  }

  @Test func `timers for directions that never wait for long do not pile up`() {
    // Every second segment leaves a hole that the next one fills; nobody answers.
    var limits = FlowLimits()
    limits.flows = 10
    var script = TCPScript()
    script.step = 1000
    script.handshake()
    for _ in 0..<2000 { script.send(.c2s, "ab") }
    for i in stride(from: 3, to: 2003, by: 2) { script.segments.swapAt(i, i + 1) }
    let transcript = FlowTranscript(script.segments, limits: limits)
    #expect(transcript.streams[FlowID(1)]?[.c2s]?.count == 4000)
    #expect(transcript.gaps == [:])
  }
}
