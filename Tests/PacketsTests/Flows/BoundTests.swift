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

  /// Runs a table on what is made when it is wanted, so that a test of 64 MiB does not hold them.
  private func play(
    _ flows: Int, _ segments: Int, of size: Int, limits: FlowLimits = .default
  ) -> (held: [Int], table: FlowTableSummary) {
    var table = FlowTable(limits: limits)
    var builder = PcapBuilder()
    builder.linkType = .raw
    let payload = [UInt8](repeating: 0x61, count: size)
    var held: [Int] = []
    var delivered = 0
    func drain(_ table: inout FlowTable) {
      while let event = table.next() {
        if case .bytes(_, _, let bytes, _) = event { delivered += bytes.readableBytes }
      }
    }
    for flow in 0..<flows {
      // The first byte of each flow is missing.
      var script = TCPScript(client: Endpoint(host: "10.0.0.1", port: 1024 + flow))
      script.handshake()
      script.add(.c2s, .ack, [0x62])
      script.segments.removeLast()
      for segment in script.segments { table.append(builder.frame(segment)) }
      for _ in 0..<segments {
        script.segments.removeAll()
        script.now = TCPScript.epoch
        script.send(.c2s, payload)
        table.append(builder.frame(script.segments[0]))
        drain(&table)
      }
      held.append(table.counters.payloadBytes.first { $0.name == "tcp.held" }?.bytes ?? 0)
    }
    table.finish()
    drain(&table)
    return (held, FlowTableSummary(delivered: delivered, counters: table.counters))
  }

  private struct FlowTableSummary {
    var delivered: Int
    var counters: PacketCounters

    func event(_ name: String) -> Int { counters.events.first { $0.name == name }?.count ?? 0 }
  }

  @Test func `all flows together hold 64 MiB behind holes`() {
    let (flows, segments, size) = (80, 15, 65_000)
    let (held, summary) = play(flows, segments, of: size)
    let most = held.max() ?? 0
    #expect(most <= 64 << 20)
    #expect(most > 60 << 20)
    #expect(summary.event("limit.held_bytes_total") > 0)
    #expect(summary.event("limit.held_bytes") == 0)
    #expect(summary.event("tcp.gaps") == flows)
    #expect(summary.delivered == flows * segments * size)
  }

  @Test func `a direction holds 1 MiB behind a hole`() {
    let (held, summary) = play(1, 17, of: 65_000)
    #expect(held == [0])
    #expect(summary.event("limit.held_bytes") == 1)
    #expect(summary.event("tcp.gaps") == 1)
    #expect(summary.delivered == 17 * 65_000)
  }

  @Test func `a connection of which one side was captured is counted`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "ping")
    script.send(.s2c, "pong")
    let client = script.segments.filter { $0.from == script.client }
    let server = script.segments.filter { $0.from == script.server }
    for (segments, count) in [(client, 1), (server, 1), (script.segments, 0), ([client[0]], 0)] {
      let events = FlowTranscript(segments).counters.events
      #expect(events.first { $0.name == "tcp.one_sided" }?.count ?? 0 == count)
    }
  }
}
