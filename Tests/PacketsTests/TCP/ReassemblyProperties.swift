import Basics
import NIOCore
import Packets
import TestKit
import Testing

/// Connections with random contents, cut and disturbed at random; every case names its seed.
struct `Reassembly properties` {
  /// A connection and what its two directions carry.
  private struct Case {
    var script: TCPScript
    var streams: [Direction: [UInt8]] = [:]
  }

  private func conversation(_ random: inout SeededGenerator, port: Int) -> Case {
    // Half of the numbers begin so near the end of the number space that the stream wraps.
    func isn(_ random: inout SeededGenerator) -> UInt32 {
      Bool.random(using: &random)
        ? UInt32.max - UInt32.random(in: 0..<2000, using: &random)
        : UInt32.random(in: 0...UInt32.max, using: &random)
    }
    let numbers = (isn(&random), isn(&random))
    var result = Case(
      script: TCPScript(
        client: Endpoint(host: "10.0.0.1", port: port), clientISN: numbers.0,
        serverISN: numbers.1))
    result.script.handshake()
    for _ in 0..<Int.random(in: 1...40, using: &random) {
      let direction: Direction = Bool.random(using: &random) ? .c2s : .s2c
      let bytes = (0..<Int.random(in: 1...300, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      result.script.send(direction, bytes)
      result.streams[direction, default: []] += bytes
    }
    return result
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `reordered and repeated segments give the same streams`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var work = conversation(&random, port: 40_000)
    work.script.finish(.c2s)
    work.script.finish(.s2c)
    var segments = work.script.segments
    for _ in 0..<segments.count / 3 {
      guard let again = segments.randomElement(using: &random) else { continue }
      segments.insert(again, at: Int.random(in: 3...segments.count, using: &random))
    }
    // Later segments may be captured before earlier ones, but less than a gap's patience away.
    for i in 3..<segments.count {
      let j = min(segments.count - 1, i + Int.random(in: 0...8, using: &random))
      segments.swapAt(i, j)
    }
    let transcript = FlowTranscript(segments)
    #expect(transcript.streams[FlowID(1)] ?? [:] == work.streams, "seed \(seed)")
    #expect(transcript.gaps == [:], "seed \(seed)")
    #expect(transcript.isBalanced, "seed \(seed)")
    let endings = transcript.lines.filter { $0.contains("ended") }.sorted()
    #expect(endings == ["1 c2s ended fin", "1 s2c ended fin"], "seed \(seed)")
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `overlapping cuts of one stream give that stream`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) }
    var script = TCPScript(clientISN: UInt32.max - 1000)
    script.handshake()
    let base = script.clientNext
    var cuts: [Range<Int>] = (0..<20).map { $0 * 100..<($0 + 1) * 100 }
    for _ in 0..<30 {
      let start = Int.random(in: 0..<2000, using: &random)
      cuts.append(start..<min(2000, start + Int.random(in: 1...400, using: &random)))
    }
    cuts.shuffle(using: &random)
    for cut in cuts {
      script.send(.c2s, Array(bytes[cut]))
      script.segments[script.segments.count - 1].sequence = base &+ UInt32(cut.lowerBound)
    }
    let transcript = FlowTranscript(script.segments)
    #expect(transcript.streams == [FlowID(1): [.c2s: bytes]], "seed \(seed)")
    #expect(transcript.isBalanced, "seed \(seed)")
    #expect(!transcript.counts.contains("conflict"), "seed \(seed)")
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `lost segments are gaps of exactly their bytes`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var work = conversation(&random, port: 40_000)
    // What nobody acknowledges cannot be known to be lost: let both ends have the last word.
    work.script.acknowledge(.c2s)
    work.script.acknowledge(.s2c)
    var lost: [Direction: Int] = [:]
    var kept: [Direction: [UInt8]] = [:]
    var segments: [TCPSegment] = []
    for segment in work.script.segments {
      let direction: Direction = segment.from == work.script.client ? .c2s : .s2c
      if !segment.payload.isEmpty, Int.random(in: 0..<5, using: &random) == 0 {
        lost[direction, default: 0] += segment.payload.count
      } else {
        if !segment.payload.isEmpty { kept[direction, default: []] += segment.payload }
        segments.append(segment)
      }
    }
    // A single lost byte at the very end looks like a FIN that was not captured.
    let transcript = FlowTranscript(segments)
    #expect(transcript.streams[FlowID(1)] ?? [:] == kept, "seed \(seed)")
    for direction in [Direction.c2s, .s2c] {
      let gap = transcript.gaps[FlowID(1)]?[direction] ?? 0
      #expect(
        (lost[direction] ?? 0) - gap == 0 || (lost[direction] == 1 && gap == 0), "seed \(seed)")
    }
    #expect(transcript.isBalanced, "seed \(seed)")
  }

  @Test func `random bytes as frames never trap and always balance`() {
    var random = SeededGenerator(seed: 42)
    var table = FlowTable()
    let types: [LinkType] = [
      .ethernet, .null, .loop, .raw, .ipv4, .ipv6, .linuxSLL, .linuxSLL2, LinkType(105),
    ]
    for i in 0..<200_000 {
      let length = Int(random.next() % 90)
      var bytes: [UInt8] = []
      while bytes.count < length {
        let word = random.next()
        for k in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * k))) }
      }
      bytes.removeLast(bytes.count - length)
      let type = types[i % types.count]
      // Most random bytes are no IP; give many of them a header that leads to TCP.
      if i % 3 != 0, type == .raw, bytes.count > 10 {
        bytes[0] = i % 2 == 0 ? 0x45 : 0x60
        bytes[6] = i % 2 == 0 ? 0 : 6
        bytes[7] = 0
        bytes[9] = 6
        if bytes.count > 40 { bytes.replaceSubrange(12..<20, with: [1, 1, 1, 1, 2, 2, 2, 2]) }
        if bytes.count > 40 { bytes.replaceSubrange(20..<24, with: [0, 1, 0, bytes[23] & 3]) }
      }
      table.append(
        CapturedFrame(
          bytes: ByteBuffer(bytes: bytes),
          originalLength: Int.random(in: 0...100_000, using: &random), linkType: type,
          at: Timestamp(nanoseconds: Int64.random(in: .min ... .max, using: &random))))
      while table.next() != nil {}
    }
    table.finish()
    while table.next() != nil {}
    let counters = table.counters
    #expect(counters.packets.reduce(0) { $0 + $1.count } == 200_000)
    let bytes = counters.payloadBytes.reduce(0) { $0 + $1.bytes }
    #expect(bytes == counters.payloadBytesIn)
    #expect(counters.payloadBytes.contains { $0.name == "tcp.delivered" })
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `random flags and numbers in one connection never trap and end each direction once`(
    _ seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    var segments: [TCPSegment] = []
    let ends = (Endpoint(host: "10.0.0.1", port: 40_000), Endpoint(host: "10.0.0.2", port: 80))
    var now = TCPScript.epoch
    for _ in 0..<400 {
      let isClient = Bool.random(using: &random)
      let offset = UInt32.random(in: 0..<3000, using: &random)
      let far: UInt32 = Int.random(in: 0..<20, using: &random) == 0 ? 1 << 30 : 0
      let isPlain = Int.random(in: 0..<10, using: &random) > 0
      segments.append(
        TCPSegment(
          from: isClient ? ends.0 : ends.1, to: isClient ? ends.1 : ends.0,
          sequence: UInt32.max &- 1500 &+ offset &+ far,
          acknowledgement: UInt32.max &- 1500
            &+ UInt32.random(in: 0..<3000, using: &random) &- far,
          flags: isPlain
            ? .ack : TCPSegment.Flags(rawValue: UInt8.random(in: 0..<32, using: &random)),
          payload: [UInt8](
            repeating: 0x61, count: Int.random(in: 0..<200, using: &random)), at: now))
      now = now + Int64.random(in: -1_000_000_000...20_000_000_000, using: &random)
    }
    let transcript = FlowTranscript(segments)
    #expect(transcript.isBalanced, "seed \(seed)")
    let opened = transcript.lines.filter { $0.contains("opened") }.count
    let ended = transcript.lines.filter { $0.contains("ended") }
    #expect(ended.count == 2 * opened, "seed \(seed)")
    #expect(
      Set(ended.map { $0.split(separator: " ").prefix(2) }).count == ended.count, "seed \(seed)")
    #expect(!transcript.counts.contains("tcp.held"), "seed \(seed)")
  }
}
