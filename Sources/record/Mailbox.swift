import Dispatch
import Synchronization

/// Messages from one thread to another, in order.
final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Mutex<[Message]>([])
  private let wakeUp = DispatchSemaphore(value: 0)

  /// Leaves a message.
  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    wakeUp.signal()
  }

  /// Waits for the next message and takes it.
  func take() -> Message {
    wakeUp.wait()
    return messages.withLock { $0.removeFirst() }
  }
}
