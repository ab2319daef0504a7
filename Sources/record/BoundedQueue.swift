import Dispatch

/// A mailbox that makes the faster of two threads wait, so that what is between them stays bounded.
///
/// `free` counts the elements that still fit; so neither side spins.
final class BoundedQueue<Element: Sendable>: Sendable {
  private let waiting = Mailbox<Element>()
  // Counted up from zero: a semaphore must not end below the value it began with.
  private let free = DispatchSemaphore(value: 0)

  /// Creates a queue for at most `capacity` elements.
  init(capacity: Int) {
    for _ in 0..<capacity { free.signal() }
  }

  /// Appends an element; waits while the queue is full.
  func put(_ element: Element) {
    free.wait()
    waiting.post(element)
  }

  /// Takes the oldest element; waits while there is none.
  func take() -> Element {
    let oldest = waiting.take()
    free.signal()
    return oldest
  }
}
