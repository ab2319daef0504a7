import Dispatch
import Synchronization

/// The queue between the thread that copies frames off an interface, which must never wait, and the one that
/// takes them apart, which may.
///
/// Theory: what does not fit is dropped and counted in packets, as the kernel does; the streams concerned then have
/// holes, which reassembly finds like any other hole. Memory is bounded by the capacity and the batch in hand.
///
/// Wrong use: offering after `close()` is our bug; such batches are ignored.
public final class FrameQueue: Sendable {
  /// Bytes that may wait: seconds of a busy interface.
  public static let defaultCapacity = 64 << 20

  /// What was taken: frames in order, and what has been lost since the last time.
  public struct Delivery: Sendable {
    /// The frames.
    public var batches: [FrameBatch] = []
    /// Packets dropped because the queue was full.
    public var queueDrops = 0
    /// What the interface said last; `nil` when it has said nothing new.
    public var statistics: LiveStatistics?
    /// True once nothing more comes.
    public var isLast = false
  }

  private struct State {
    var next = Delivery()
    var size = 0
    var isWaiting = false
    var isClosed = false
  }

  private let capacity: Int
  private let state = Mutex(State())
  private let wakeUp = DispatchSemaphore(value: 0)

  /// Creates an empty queue that holds about `capacity` bytes.
  public init(capacity: Int = FrameQueue.defaultCapacity) { self.capacity = capacity }

  /// Queues a batch, or counts its packets as dropped when there is no room. Never waits.
  public func offer(_ batch: FrameBatch) {
    let capacity = capacity
    signal { state in
      guard !state.isClosed else { return }
      if state.size + batch.size > capacity {
        state.next.queueDrops += batch.count
      } else {
        state.size += batch.size
        state.next.batches.append(batch)
      }
    }
  }

  /// Hands on what the interface counts.
  public func report(_ statistics: LiveStatistics) {
    signal { state in state.next.statistics = statistics }
  }

  /// Says that no frame comes any more.
  public func close() {
    signal { state in state.isClosed = true }
  }

  /// Returns what has come, waiting up to `milliseconds` for the first of it. One thread only.
  public func take(within milliseconds: Int) -> Delivery {
    let mustWait = state.withLock { state in
      state.isWaiting = !state.isClosed && state.next.isNothing
      return state.isWaiting
    }
    if mustWait, wakeUp.wait(timeout: .now() + .milliseconds(milliseconds)) == .timedOut {
      // A producer that saw us wait has signalled or is about to: its signal is taken back.
      let signalIsDue = state.withLock { state in
        defer { state.isWaiting = false }
        return !state.isWaiting
      }
      if signalIsDue { wakeUp.wait() }
    }
    return state.withLock { state in
      var delivery = Delivery()
      swap(&delivery, &state.next)
      state.size = 0
      delivery.isLast = state.isClosed
      return delivery
    }
  }

  private func signal(_ change: (inout State) -> Void) {
    let wake = state.withLock { state in
      change(&state)
      defer { state.isWaiting = false }
      return state.isWaiting
    }
    if wake { wakeUp.signal() }
  }
}

extension FrameQueue.Delivery {
  fileprivate var isNothing: Bool {
    batches.isEmpty && queueDrops == 0 && statistics == nil
  }
}
