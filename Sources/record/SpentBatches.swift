import Synchronization

/// Batches that another thread has dealt with, on their way back to the one that made them: memory is freed where it was taken.
///
/// The allocator keeps what a thread frees for that thread. Freed by the next stage, each step or line would cost its maker
/// fresh memory, and both a lock: a fifth of all the time that a capture takes.
final class SpentBatches<Batch: Sendable>: Sendable {
  private let batches = Mutex<[Batch]>([])

  /// Gives back a batch.
  func add(_ batch: Batch) { batches.withLock { $0.append(batch) } }

  /// Frees what was given back so far.
  func free() {
    var old: [Batch] = []
    batches.withLock { swap(&$0, &old) }
  }
}
