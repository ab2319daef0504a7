import Basics
import Dispatch
import NIOCore
import Proxy

/// What the dissection thread would be told, gathered per flow.
final class TapLog: Sendable {
  struct Flow: Sendable, Equatable {
    var ends: FlowEnds
    var bytes: [Direction: ByteBuffer] = [.c2s: ByteBuffer(), .s2c: ByteBuffer()]
    var endings: [Direction: FlowEnding] = [:]
    var gaps = 0
    var isOrdered = true
    var lastStamp: Timestamp
  }

  let flows = Watched<[FlowID: Flow]>([:])
  let isOver = Watched(false)

  init(_ handoff: Handoff) {
    DispatchQueue(label: "tap").async { [flows, isOver] in
      var batch: [FlowEvent] = []
      while handoff.take(into: &batch, within: .seconds(1)) {
        flows.update { flows in
          for event in batch { Self.record(event, in: &flows) }
        }
      }
      isOver.update { $0 = true }
    }
  }

  /// Waits until both directions of the flow `number` have ended.
  func finished(_ number: Int) async throws -> Flow {
    let flow = FlowID(number)
    let flows = try await flows.wait { $0[flow]?.endings.count == 2 }
    guard let finished = flows[flow] else { throw CancellationError() }
    return finished
  }

  private static func record(_ event: FlowEvent, in flows: inout [FlowID: Flow]) {
    switch event {
    case .opened(let flow, let ends, let at):
      flows[flow] = Flow(ends: ends, lastStamp: at)
    case .bytes(let flow, let direction, let buffer, let at):
      flows[flow]?.stamp(at)
      if flows[flow]?.endings[direction] != nil { flows[flow]?.isOrdered = false }
      flows[flow]?.bytes[direction]?.writeImmutableBuffer(buffer)
    case .gap(let flow, _, let count, let at):
      flows[flow]?.stamp(at)
      flows[flow]?.gaps += count
    case .ended(let flow, let direction, let ending, let at):
      flows[flow]?.stamp(at)
      if flows[flow]?.endings[direction] != nil { flows[flow]?.isOrdered = false }
      flows[flow]?.endings[direction] = ending
    }
  }
}

extension TapLog.Flow {
  fileprivate mutating func stamp(_ at: Timestamp) {
    if at < lastStamp { isOrdered = false }
    lastStamp = at
  }
}
