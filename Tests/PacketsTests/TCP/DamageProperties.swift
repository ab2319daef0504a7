import Basics
import NIOCore
import Packets
import TestKit
import Testing

/// A connection that is cut, repeated, lost and reordered at random, held against what was sent.
struct `Damaged captures` {
  /// What was sent, what of it was captured, and the packets.
  private struct Case {
    var truth: [Direction: [UInt8]] = [:]
    var captured: [Direction: [Bool]] = [:]
    var segments: [TCPSegment] = []
    var client: Endpoint
  }

  private func conversation(
    _ random: inout SeededGenerator, loss: Double, step: Int64, isFromStart: Bool
  ) -> Case {
    var script = TCPScript(
      clientISN: UInt32.max &- UInt32.random(in: 0...5000, using: &random),
      serverISN: UInt32.random(in: 0...UInt32.max, using: &random))
    script.step = step
    var work = Case(client: script.client)
    script.handshake()
    if !isFromStart { script.segments.removeAll() }
    let starts: [Direction: UInt32] = [.c2s: script.clientNext, .s2c: script.serverNext]
    for _ in 0..<200 {
      let direction: Direction = Int.random(in: 0..<3, using: &random) == 0 ? .c2s : .s2c
      let bytes = (0..<Int.random(in: 2...400, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      script.send(direction, bytes)
      work.truth[direction, default: []] += bytes
      if Bool.random(using: &random) { script.acknowledge(direction.reversed) }
      // A sender that repeats itself cuts elsewhere.
      if Int.random(in: 0..<10, using: &random) == 0, let truth = work.truth[direction] {
        let from = Int.random(in: max(0, truth.count - 2000)..<truth.count, using: &random)
        let upTo = Int.random(in: from..<min(truth.count, from + 500), using: &random) + 1
        script.add(direction, .ack, [])
        let last = script.segments.count - 1
        script.segments[last].sequence = (starts[direction] ?? 0) &+ UInt32(from)
        script.segments[last].payload = Array(truth[from..<upTo])
      }
    }
    script.acknowledge(.c2s)
    script.acknowledge(.s2c)
    script.finish(.c2s)
    script.finish(.s2c)
    for direction in [Direction.c2s, .s2c] {
      work.captured[direction] = [Bool](
        repeating: false, count: work.truth[direction]?.count ?? 0)
    }
    for segment in script.segments {
      let isData = !segment.payload.isEmpty
      if isData, Double.random(in: 0..<1, using: &random) < loss { continue }
      work.segments.append(segment)
      guard isData else { continue }
      let direction: Direction = segment.from == work.client ? .c2s : .s2c
      let at = Int(segment.sequence &- (starts[direction] ?? 0))
      for i in at..<at + segment.payload.count { work.captured[direction]?[i] = true }
    }
    return work
  }

  /// Moves a tenth of the packets by up to twenty places, repeats some; the times stay those of the places.
  private func disturb(_ segments: [TCPSegment], _ random: inout SeededGenerator) -> [TCPSegment] {
    var placed = segments.enumerated().map { index, segment in
      let isMoved = Int.random(in: 0..<10, using: &random) == 0
      let place = Double(index) + (isMoved ? Double.random(in: 0..<20, using: &random) : 0)
      return (place: place, segment: segment)
    }
    for copy in placed where Int.random(in: 0..<20, using: &random) == 0 {
      placed.append((copy.place + Double.random(in: 0..<2, using: &random), copy.segment))
    }
    placed.sort { $0.place < $1.place }
    let times = segments.map(\.at)
    return placed.enumerated().map { index, item in
      var segment = item.segment
      segment.at = times[min(index, times.count - 1)]
      return segment
    }
  }

  @Test(
    arguments: 0..<30 as Range<UInt64>,
    [
      (0.0, 1_000_000 as Int64, true), (0.05, 1_000_000, true), (0.05, 200_000_000, true),
      (0.05, 1000, false),
    ])
  func `what was captured is delivered in its place, and nothing else is a gap`(
    _ seed: UInt64, _ kind: (loss: Double, step: Int64, isFromStart: Bool)
  ) {
    var random = SeededGenerator(seed: seed)
    let work = conversation(
      &random, loss: kind.loss, step: kind.step, isFromStart: kind.isFromStart)
    let frames = PcapBuilder().frames(disturb(work.segments, &random))
    var table = FlowTable()
    var offsets: [Direction: Int] = [:]
    var wrong = 0
    var untouched = 0
    func note(_ event: FlowEvent) {
      switch event {
      case .bytes(_, let direction, let bytes, _):
        for byte in bytes.readableBytesView {
          let at = offsets[direction, default: start(direction, work, kind.isFromStart)]
          if work.truth[direction]?[at] != byte { wrong += 1 }
          offsets[direction] = at + 1
        }
      case .gap(_, let direction, let count, _):
        let at = offsets[direction, default: start(direction, work, kind.isFromStart)]
        for i in at..<at + count where work.captured[direction]?[i] == true { untouched += 1 }
        offsets[direction] = at + count
      case .opened, .ended: break
      }
    }
    for frame in frames {
      table.append(frame)
      while let event = table.next() { note(event) }
    }
    table.finish()
    while let event = table.next() { note(event) }
    #expect(wrong == 0, "seed \(seed): bytes at the wrong place")
    #expect(untouched == 0, "seed \(seed): captured bytes said to be lost")
    for direction in [Direction.c2s, .s2c] {
      #expect(offsets[direction] == work.truth[direction]?.count, "seed \(seed)")
    }
    let bytes = table.counters.payloadBytes.reduce(0) { $0 + $1.bytes }
    #expect(bytes == table.counters.payloadBytesIn, "seed \(seed)")
  }

  /// Where a direction begins: at its first byte that was captured when the handshake was not.
  private func start(_ direction: Direction, _ work: Case, _ isFromStart: Bool) -> Int {
    isFromStart ? 0 : work.captured[direction]?.firstIndex(of: true) ?? 0
  }
}
