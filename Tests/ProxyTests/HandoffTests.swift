import Basics
import Dispatch
import NIOCore
import Proxy
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)))
struct `Handoff queue` {
  private let ends = FlowEnds(
    client: Endpoint(host: "127.0.0.1", port: 1), server: Endpoint(host: "127.0.0.1", port: 2))
  private let kilobyte = ByteBuffer(repeating: 0x78, count: 1024)

  private func at(_ nanoseconds: Int64) -> Timestamp { Timestamp(nanoseconds: nanoseconds) }

  @Test func `numbers flows from 1 and keeps the order of events`() {
    let handoff = Handoff()
    let first = handoff.open(ends, at: at(1))
    let second = handoff.open(ends, at: at(2))
    handoff.offer(.bytes(second, .c2s, ByteBuffer(string: "a"), at: at(3)))
    handoff.offer(.bytes(first, .s2c, ByteBuffer(string: "b"), at: at(4)))
    handoff.offer(.ended(second, .c2s, .fin, at: at(5)))
    #expect(
      taken(from: handoff) == [
        "1 opened 1", "2 opened 2", "2 c2s 1 bytes 3", "1 s2c 1 bytes 4", "2 c2s fin 5",
      ])
  }

  @Test func `counts exactly what does not fit, per flow and direction`() {
    let handoff = Handoff(capacity: 4 * 1024)
    let first = handoff.open(ends, at: at(1))
    let second = handoff.open(ends, at: at(2))
    for time in Int64(3)..<103 {
      handoff.offer(.bytes(first, .c2s, kilobyte, at: at(time)))
    }
    handoff.offer(.bytes(first, .s2c, ByteBuffer(string: "late"), at: at(103)))
    handoff.offer(.ended(first, .c2s, .fin, at: at(104)))
    handoff.offer(.bytes(second, .c2s, kilobyte, at: at(105)))
    let third = handoff.open(ends, at: at(106))
    handoff.offer(.ended(third, .c2s, .reset, at: at(107)))

    let batch = taken(from: handoff)
    #expect(
      batch.prefix(9) == [
        "1 opened 1", "2 opened 2", "1 c2s 1024 bytes 3", "1 c2s 1024 bytes 4",
        "1 c2s 1024 bytes 5", "1 c2s gap of \(97 * 1024) 6", "1 c2s fin 104", "3 opened 106",
        "3 c2s rst 107",
      ])
    #expect(Set(batch.dropFirst(9)) == ["1 s2c gap of 4 103", "2 c2s gap of 1024 105"])
    #expect(handoff.statistics.droppedBytes == 97 * 1024 + 4 + 1024)
    #expect(handoff.statistics.droppedEvents == 99)
  }

  @Test func `keeps payload again once a batch has been taken`() {
    let handoff = Handoff(capacity: 2 * 1024)
    let flow = handoff.open(ends, at: at(1))
    for time in Int64(2)..<5 { handoff.offer(.bytes(flow, .c2s, kilobyte, at: at(time))) }
    #expect(
      taken(from: handoff) == ["1 opened 1", "1 c2s 1024 bytes 2", "1 c2s gap of 2048 3"])
    handoff.offer(.bytes(flow, .c2s, kilobyte, at: at(5)))
    #expect(taken(from: handoff) == ["1 c2s 1024 bytes 5"])
  }

  @Test func `tells a gap of its source before what follows it`() {
    let handoff = Handoff()
    let flow = handoff.open(ends, at: at(1))
    handoff.offer(.gap(flow, .c2s, count: 7, at: at(2)))
    handoff.offer(.gap(flow, .c2s, count: 5, at: at(3)))
    handoff.offer(.bytes(flow, .c2s, kilobyte, at: at(4)))
    handoff.offer(.gap(flow, .c2s, count: 1, at: at(5)))
    #expect(
      taken(from: handoff) == [
        "1 opened 1", "1 c2s gap of 12 2", "1 c2s 1024 bytes 4", "1 c2s gap of 1 5",
      ])
  }

  @Test func `charges the memory a slice pins, not its length`() {
    let handoff = Handoff(capacity: 100 * 1024)
    let flow = handoff.open(ends, at: at(1))
    let slice = ByteBuffer(repeating: 0, count: 60 * 1024).getSlice(at: 0, length: 1)
    for time in Int64(2)..<4 {
      if let slice { handoff.offer(.bytes(flow, .c2s, slice, at: at(time))) }
    }
    #expect(handoff.statistics.droppedBytes == 1)
  }

  @Test func `gives an empty batch when nothing comes in time`() {
    let handoff = Handoff()
    var batch: [FlowEvent] = [.gap(FlowID(9), .c2s, count: 1, at: at(1))]
    #expect(handoff.take(into: &batch, within: .milliseconds(1)))
    #expect(batch.isEmpty)
  }

  @Test func `gives what is left after it was closed, then says so`() {
    let handoff = Handoff()
    _ = handoff.open(ends, at: at(1))
    handoff.close()
    var batch: [FlowEvent] = []
    #expect(handoff.take(into: &batch, within: .seconds(60)))
    #expect(batch.count == 1)
    #expect(!handoff.take(into: &batch, within: .seconds(60)))
    #expect(batch.isEmpty)
  }

  @Test func `wakes a waiting consumer when it is closed`() async throws {
    let handoff = Handoff()
    let isOver = Watched(false)
    DispatchQueue(label: "consumer").async {
      var batch: [FlowEvent] = []
      while handoff.take(into: &batch, within: .seconds(3600)) {}
      isOver.update { $0 = true }
    }
    handoff.close()
    try await isOver.wait { $0 }
  }

  @Test(arguments: [16 * 1024, 1 << 20])
  func `loses nothing uncounted between many producers and one consumer`(
    capacity: Int
  ) async throws {
    let handoff = Handoff(capacity: capacity)
    let producers = 4
    let perProducer = 20_000
    let ledger = Watched(Ledger())
    DispatchQueue(label: "consumer").async {
      var batch: [FlowEvent] = []
      while handoff.take(into: &batch, within: .seconds(1)) {
        ledger.update { ledger in for event in batch { ledger.enter(event) } }
      }
      ledger.update { $0.isOver = true }
    }
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<producers {
        group.addTask { [ends] in
          let flow = handoff.open(ends, at: Timestamp(nanoseconds: 0))
          for number in 0..<perProducer {
            let payload = ByteBuffer(integer: Int64(number))
            handoff.offer(.bytes(flow, .c2s, payload, at: Timestamp(nanoseconds: 0)))
          }
          handoff.offer(.ended(flow, .c2s, .fin, at: Timestamp(nanoseconds: 0)))
        }
      }
    }
    handoff.close()
    let final = try await ledger.wait { $0.isOver }
    #expect(
      final.explained
        == Dictionary(
          uniqueKeysWithValues: (1...producers).map { (FlowID($0), perProducer * 8) }))
    #expect(final.isOrdered)
    #expect(final.ended == producers)
  }

  private func taken(from handoff: Handoff) -> [String] {
    var batch: [FlowEvent] = []
    _ = handoff.take(into: &batch, within: .milliseconds(1))
    return batch.map { event in
      switch event {
      case .opened(let flow, _, let at): "\(flow.number) opened \(at.nanoseconds)"
      case .bytes(let flow, let direction, let bytes, let at):
        "\(flow.number) \(direction.name) \(bytes.readableBytes) bytes \(at.nanoseconds)"
      case .gap(let flow, let direction, let count, let at):
        "\(flow.number) \(direction.name) gap of \(count) \(at.nanoseconds)"
      case .ended(let flow, let direction, let ending, let at):
        "\(flow.number) \(direction.name) \(ending.rawValue) \(at.nanoseconds)"
      }
    }
  }
}

/// Adds up what a consumer was told; the payloads of a flow are its bytes' positions, in eights.
private struct Ledger: Sendable {
  var explained: [FlowID: Int] = [:]
  var isOrdered = true
  var ended = 0
  var isOver = false

  mutating func enter(_ event: FlowEvent) {
    switch event {
    case .opened(let flow, _, _):
      explained[flow] = 0
    case .bytes(let flow, _, let bytes, _):
      let position = bytes.getInteger(at: 0, as: Int64.self).map { Int($0) * 8 }
      if position != explained[flow] { isOrdered = false }
      explained[flow, default: 0] += bytes.readableBytes
    case .gap(let flow, _, let count, _):
      explained[flow, default: 0] += count
    case .ended:
      ended += 1
    }
  }
}
