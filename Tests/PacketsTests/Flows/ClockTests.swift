import Basics
import NIOCore
import Packets
import TestKit
import Testing

struct `The clock of a flow table` {
  @Test func `may be told when no packet tells it`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "one ")
    script.send(.c2s, "two ")
    script.segments.removeLast()
    script.send(.c2s, "three")
    script.acknowledge(.s2c)
    var table = FlowTable()
    var lengths: [Int] = []
    func drain() {
      while let event = table.next() {
        switch event {
        case .bytes(_, _, let bytes, _): lengths.append(bytes.readableBytes)
        case .gap(_, _, let count, _): lengths.append(-count)
        case .opened, .ended: break
        }
      }
    }
    for frame in PcapBuilder().frames(script.segments) { table.append(frame) }
    let seen = script.segments.map(\.at).max() ?? script.now
    // A time that has passed already changes nothing.
    for elapsed in [-1_000_000_000, 49_000_000] as [Int64] {
      table.advance(to: seen + elapsed)
      drain()
      #expect(lengths == [4])
    }
    table.advance(to: seen + 50_000_000)
    drain()
    #expect(lengths == [4, -4, 5])
  }

  @Test func `takes the connections of its ports alone, and counts the others`() {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "hello")
    let frames = PcapBuilder().frames(script.segments)
    for (ports, packets) in [
      ([80], "tcp.control 3, tcp.data 1"), ([40_000, 9], "tcp.control 3, tcp.data 1"),
      ([8080], "filtered 4"), ([], "tcp.control 3, tcp.data 1"),
    ] as [(Set<UInt16>, String)] {
      var table = FlowTable(ports: ports)
      for frame in frames { table.append(frame) }
      table.finish()
      let counted = table.counters.packets.map { "\($0.name) \($0.count)" }
      #expect(counted.joined(separator: ", ") == packets)
      #expect(table.counters.payloadBytesIn == (packets.hasPrefix("filtered") ? 0 : 5))
    }
  }
}
