import Synchronization

/// Batches that another thread has dealt with, on their way back to the one that made them: their memory is used again.
///
/// The allocator keeps what a thread frees for that thread. Freed by the next stage, each batch would cost its maker fresh
/// memory, and both a lock.
final class SpentBatches<Batch: Sendable>: Sendable {
  private let batches = Mutex<[Batch]>([])

  /// Gives back a batch.
  func add(_ batch: consuming Batch) {
    let batch = batch
    batches.withLock { $0.append(batch) }
  }

  /// Takes the batch that was given back last; `nil` when there is none.
  func take() -> Batch? { batches.withLock { $0.popLast() } }
}
