public import Basics
internal import Dispatch
internal import NIOCore
internal import Synchronization

/// The queue between the event loops, which must never wait, and the thread that dissects, which may.
///
/// Theory: a bounded queue whose overflow is an input of the dissection, not an error. What cannot be kept
/// is counted per flow and direction and handed on as `gap(count)` in its place in the stream, so that
/// kept bytes + gaps = bytes forwarded, always.
///
/// Invariant: `opened` and `ended` are always kept, in order; a gap is told before anything later of its
/// direction, and at the latest at the end of the batch in which it arose.
///
/// Shedding: the first payload that does not fit closes the queue to payload until the next batch is
/// taken. One long hole costs the dissection fewer messages than many short ones.
///
/// Waking the other thread costs more than queueing an event does. So the consumer is woken by the first
/// event after an idle spell, then gathers for `gatherTime` unless `gatherBytes` are there before.
///
/// Wrong use: offering after `close()` (our bug): payload is counted as dropped, the rest is ignored.
public final class Handoff: Sendable {
  /// Bytes the queue may hold. The batch being dissected comes on top, so at most twice this is in use;
  /// 32 MiB is more than a second of a saturated proxy and fits the smallest machine.
  public static let defaultCapacity = 32 * 1024 * 1024

  /// Queued bytes at which a gathering consumer is woken early: a batch that stays in the L2 cache.
  static let gatherBytes = 256 * 1024

  /// How long a woken consumer lets events gather: at most 50 wake-ups a second at low rates, far below
  /// the second after which a trace is flushed.
  static let gatherTime = DispatchTimeInterval.milliseconds(20)

  /// Charged for an event beside its payload: its place in the queue and the buffer's own header.
  static let eventOverhead = 192

  private enum Consumer {
    case busy
    case idle
    case gathering
    case signalled
  }

  private struct Stream: Hashable {
    let flow: FlowID
    let direction: Direction
  }

  private struct Hole {
    var count: Int
    let at: Timestamp
  }

  private struct State {
    var queue: [FlowEvent] = []
    var queuedBytes = 0
    var lastFlow = 0
    var consumer = Consumer.busy
    var isClosed = false
    var isShedding = false
    var holes: [Stream: Hole] = [:]
    var statistics = HandoffStatistics()
  }

  private let capacity: Int
  private let state = Mutex(State())
  private let wakeUp = DispatchSemaphore(value: 0)

  /// Creates an empty queue that holds about `capacity` bytes.
  public init(capacity: Int = Handoff.defaultCapacity) {
    self.capacity = capacity
  }

  /// What was dropped and what waits at this moment.
  public var statistics: HandoffStatistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.queuedEvents = state.queue.count
      statistics.queuedBytes = state.queuedBytes
      return statistics
    }
  }

  /// Numbers a new flow, from 1, and queues its `opened`.
  public func open(_ ends: FlowEnds, at: Timestamp) -> FlowID {
    let (flow, wake) = state.withLock { state in
      state.lastFlow += 1
      let flow = FlowID(state.lastFlow)
      return (flow, Self.keep(.opened(flow, ends, at: at), payload: 0, in: &state))
    }
    if wake { wakeUp.signal() }
    return flow
  }

  /// Queues `event`, or the count of its bytes when there is no room. Never waits for the consumer.
  public func offer(_ event: FlowEvent) {
    let capacity = capacity
    let wake = state.withLock { state in
      switch event {
      case .opened:
        return Self.keep(event, payload: 0, in: &state)
      case .bytes(let flow, let direction, let buffer, let at):
        let stream = Stream(flow: flow, direction: direction)
        let payload = buffer.storageCapacity
        if state.isShedding || state.isClosed
          || state.queuedBytes + payload + Self.eventOverhead > capacity
        {
          state.isShedding = true
          state.statistics.droppedEvents += 1
          state.statistics.droppedBytes += buffer.readableBytes
          Self.widen(stream, by: buffer.readableBytes, at: at, in: &state)
          return Self.wakes(&state)
        }
        Self.tell(stream, in: &state)
        return Self.keep(event, payload: payload, in: &state)
      case .gap(let flow, let direction, let count, let at):
        Self.widen(Stream(flow: flow, direction: direction), by: count, at: at, in: &state)
        return Self.wakes(&state)
      case .ended(let flow, let direction, _, _):
        Self.tell(Stream(flow: flow, direction: direction), in: &state)
        return Self.keep(event, payload: 0, in: &state)
      }
    }
    if wake { wakeUp.signal() }
  }

  /// Replaces `batch` by what has been queued, waiting up to `limit` for the first event.
  ///
  /// One thread only. The batch is empty when nothing came in time.
  /// - Returns: false once the queue is closed and everything in it has been taken.
  public func take(into batch: inout [FlowEvent], within limit: Duration) -> Bool {
    batch.removeAll(keepingCapacity: true)
    wait(as: .idle, until: .now() + .nanoseconds(limit.wholeNanoseconds)) { state in
      state.queue.isEmpty && state.holes.isEmpty
    }
    wait(as: .gathering, until: .now() + Self.gatherTime) { state in
      !(state.queue.isEmpty && state.holes.isEmpty) && !state.isShedding
        && state.queuedBytes < Self.gatherBytes
    }
    return state.withLock { state in
      swap(&batch, &state.queue)
      for (stream, hole) in state.holes {
        batch.append(.gap(stream.flow, stream.direction, count: hole.count, at: hole.at))
      }
      state.holes.removeAll(keepingCapacity: true)
      state.queuedBytes = 0
      state.isShedding = false
      return !(state.isClosed && batch.isEmpty)
    }
  }

  /// Says that no event comes any more, and wakes the consumer to take the rest.
  public func close() {
    let wake = state.withLock { state in
      state.isClosed = true
      let waits = state.consumer == .idle || state.consumer == .gathering
      if waits { state.consumer = .signalled }
      return waits
    }
    if wake { wakeUp.signal() }
  }
}

extension Handoff {
  /// Waits while `condition` holds at the start. A producer that wakes us leaves exactly one signal and
  /// the mark `signalled`; both are taken back here, also when the time was up at the same moment.
  private func wait(
    as waiting: Consumer, until deadline: DispatchTime, while condition: (borrowing State) -> Bool
  ) {
    let mustWait = state.withLock { state in
      guard !state.isClosed, condition(state) else { return false }
      state.consumer = waiting
      return true
    }
    guard mustWait else { return }
    let outcome = wakeUp.wait(timeout: deadline)
    let signalIsDue = state.withLock { state in
      let signalled = state.consumer == .signalled
      state.consumer = .busy
      return signalled && outcome == .timedOut
    }
    if signalIsDue { wakeUp.wait() }
  }

  /// Appends an event behind the gap of its stream, if there is one; returns whether to signal.
  private static func keep(_ event: FlowEvent, payload: Int, in state: inout State) -> Bool {
    guard !state.isClosed else { return false }
    state.queue.append(event)
    state.queuedBytes += payload + eventOverhead
    return wakes(&state)
  }

  private static func widen(
    _ stream: Stream, by count: Int, at: Timestamp, in state: inout State
  ) {
    guard !state.isClosed else { return }
    state.holes[stream, default: Hole(count: 0, at: at)].count += count
  }

  private static func tell(_ stream: Stream, in state: inout State) {
    guard !state.holes.isEmpty else { return }
    guard let hole = state.holes.removeValue(forKey: stream), !state.isClosed else { return }
    state.queue.append(.gap(stream.flow, stream.direction, count: hole.count, at: hole.at))
    state.queuedBytes += eventOverhead
  }

  private static func wakes(_ state: inout State) -> Bool {
    switch state.consumer {
    case .busy, .signalled:
      return false
    case .idle:
      state.consumer = .signalled
      return true
    case .gathering:
      guard state.isShedding || state.queuedBytes >= gatherBytes else { return false }
      state.consumer = .signalled
      return true
    }
  }
}

/// How a `Handoff` has fared.
public struct HandoffStatistics: Hashable, Sendable {
  /// Payload bytes that became gaps, since the start.
  public internal(set) var droppedBytes = 0
  /// Payload events that became gaps, since the start.
  public internal(set) var droppedEvents = 0
  /// Events that wait.
  public internal(set) var queuedEvents = 0
  /// Bytes charged for them: memory held, not only payload.
  public internal(set) var queuedBytes = 0
}

extension Duration {
  /// The duration in nanoseconds, clamped to what a timer can wait.
  fileprivate var wholeNanoseconds: Int {
    let (seconds, attoseconds) = components
    let clamped = Int(min(max(seconds, 0), 1_000_000_000))
    return clamped * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
  }
}
