import Basics
import Dispatch
import NIOCore
import Synchronization

/// A queue between two threads that makes the faster one wait, so that what is between them stays bounded.
///
/// Both semaphores count batches: `free` those that still fit, `filled` those that wait. So neither side spins, and a thread is
/// woken once a batch, not once an event.
final class BoundedQueue<Element: Sendable>: Sendable {
  private let waiting = Mutex(CircularBuffer<Element>())
  private let free: DispatchSemaphore
  private let filled = DispatchSemaphore(value: 0)

  /// Creates a queue for at most `capacity` elements.
  init(capacity: Int) {
    // Counted up from zero: a semaphore must not end below the value it began with.
    free = DispatchSemaphore(value: 0)
    for _ in 0..<capacity { free.signal() }
  }

  /// Appends an element; waits while the queue is full.
  func put(_ element: Element) {
    free.wait()
    waiting.withLock { $0.append(element) }
    filled.signal()
  }

  /// Takes the oldest element; waits while there is none.
  func take() -> Element {
    while true {
      filled.wait()
      let first = waiting.withLock { $0.popFirst() }
      free.signal()
      if let first { return first }
    }
  }
}
