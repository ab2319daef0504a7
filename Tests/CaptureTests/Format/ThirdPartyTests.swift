import Capture
import NIOCore
import Packets
import TestKit
import Testing

/// What another reader says that a file holds: captured length, length on the wire, link type, time of each packet.
private struct Facts: Sendable, CustomTestStringConvertible {
  var name: String
  var packets: [Decoded.Frame]
  var counters: [String: Int] = [:]
  var error: CaptureError.What?
  var testDescription: String { name }
}

private func packet(_ kept: Int, _ length: Int, _ link: Int, _ at: Int64) -> Decoded.Frame {
  Decoded.Frame(
    [UInt8](repeating: 0, count: kept), length: length, link: LinkType(link), at: at)
}

private let second: Int64 = 1_340_954_905
private let a = second * 1_000_000_000 + 298_858_000
private let millisecond: Int64 = 1_000_000
private let fourOfTwo = [
  packet(96, 314, 1, a), packet(128, 342, 1, a + millisecond),
  packet(96, 314, 1, a + 2 * millisecond), packet(128, 342, 1, a + 3 * millisecond),
]
private let mixed =
  [packet(314, 314, 1, 0), packet(342, 342, 1, a), packet(314, 314, 1, a)]
  + [packet(342, 342, 1, a + 2 * millisecond)]

private let manyBlocks = [
  packet(96, 314, 1, a), packet(342, 342, 1, a), packet(96, 314, 1, a),
  packet(96, 342, 1, a + 2 * millisecond), packet(168, 168, 0, a + 3 * millisecond),
]

private let facts: [Facts] = [
  Facts(name: "be/test003", packets: []), Facts(name: "be/test004", packets: fourOfTwo),
  Facts(name: "le/test002", packets: []), Facts(name: "le/test004", packets: fourOfTwo),
  Facts(
    name: "le/test008",
    packets: fourOfTwo.map { packet($0.bytes.count, $0.length, 1, $0.at / 1000) }),
  Facts(
    name: "le/test009", packets: [packet(314, 314, 1, a), packet(342, 342, 1, a + millisecond)]),
  Facts(
    name: "le/test010",
    packets: [314, 342, 314, 342].map { packet($0, $0, 1, 0) },
    counters: ["packets.no_timestamp": 4]),
  Facts(name: "be/test011", packets: mixed, counters: ["packets.no_timestamp": 2]),
  Facts(
    name: "be/test016", packets: mixed,
    counters: ["packets.no_timestamp": 2, "pcapng.name_resolution": 3]),
  Facts(
    name: "be/test012",
    packets: [packet(314, 314, 1, 0), packet(315, 342, 1, 0)]
      + [packet(314, 314, 1, 0), packet(315, 342, 1, 0)],
    counters: ["packets.no_timestamp": 2]),
  Facts(
    name: "be/test014", packets: [],
    counters: ["capture.interface_drop": 30, "pcapng.interface_statistics": 3]),
  Facts(name: "be/test015", packets: [], counters: ["pcapng.name_resolution": 1]),
  Facts(
    name: "be/test018", packets: mixed,
    counters: ["packets.no_timestamp": 2, "pcapng.custom_block": 4]),
  Facts(
    name: "be/test101",
    packets: [packet(96, 314, 1, a), packet(128, 342, 1, a), packet(96, 314, 1, a)]
      + [packet(168, 168, 0, a + 3 * millisecond)],
    counters: [
      "capture.interface_drop": 11, "capture.kernel_drop": 42, "packets.no_timestamp": 1,
      "pcapng.interface_statistics": 6,
    ]),
  Facts(
    name: "be/test102", packets: manyBlocks,
    counters: [
      "capture.interface_drop": 11, "capture.kernel_drop": 42, "packets.no_timestamp": 1,
      "pcapng.custom_block": 3, "pcapng.interface_statistics": 6,
      "pcapng.name_resolution": 3,
    ]),
  Facts(
    name: "le/test102", packets: manyBlocks,
    counters: [
      "capture.interface_drop": 11, "capture.kernel_drop": 42, "packets.no_timestamp": 1,
      "pcapng.custom_block": 3, "pcapng.interface_statistics": 6,
      "pcapng.name_resolution": 3,
    ]),
  Facts(
    name: "be/test202",
    packets: [
      packet(96, 314, 1, a), packet(96, 342, 1, a), packet(168, 168, 0, a + 3 * millisecond),
      packet(128, 314, 1, a + 3 * millisecond), packet(128, 342, 1, a), packet(128, 314, 1, a),
      packet(128, 342, 1, a), packet(168, 168, 0, a + 3 * millisecond),
    ],
    counters: [
      "capture.interface_drop": 11, "capture.kernel_drop": 42, "packets.no_timestamp": 2,
      "pcapng.custom_block": 3, "pcapng.interface_statistics": 4,
      "pcapng.name_resolution": 5,
    ]),
  Facts(name: "le/test901", packets: [packet(314, 314, 1, a)], error: .unsupported),
]

struct `Third-party captures` {
  @Test(arguments: facts) private func `are read as others read them`(_ facts: Facts) throws {
    let file = try CaptureFile(path: Fixture.path("captures/gopacket/\(facts.name).pcapng"))
    var result = Decoded()
    var error: CaptureError?
    do throws(CaptureError) {
      while let item = try file.next() { result.take(item) }
    } catch let thrown {
      error = thrown
    }
    result.note(file.counters)
    let packets = result.frames.map { packet($0.bytes.count, $0.length, $0.link.number, $0.at) }
    #expect(packets == facts.packets)
    #expect(result.counters == facts.counters)
    #expect(error?.what == facts.error)
  }
}
