import Synchronization

/// A value that tests wait on instead of sleeping.
final class Watched<Value: Sendable>: Sendable {
  private struct Waiter: Sendable {
    let id: Int
    let condition: @Sendable (Value) -> Bool
    let continuation: CheckedContinuation<Value, any Error>
  }

  private struct State: Sendable {
    var value: Value
    var waiters: [Waiter] = []
    var nextID = 0
    var cancelled: Set<Int> = []
  }

  private let state: Mutex<State>

  init(_ value: Value) { state = Mutex(State(value: value)) }

  var value: Value { state.withLock { $0.value } }

  func update(_ change: (inout Value) -> Void) {
    let (value, ready) = state.withLock { state in
      change(&state.value)
      let value = state.value
      let ready = state.waiters.filter { $0.condition(value) }
      state.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
      return (value, ready)
    }
    for waiter in ready { waiter.continuation.resume(returning: value) }
  }

  /// Returns the first value that meets `condition`; throws when the test is cancelled by its time limit.
  @discardableResult
  func wait(until condition: @escaping @Sendable (Value) -> Bool) async throws -> Value {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Value, any Error>? = state.withLock { state in
          if condition(state.value) { return .success(state.value) }
          if state.cancelled.contains(id) { return .failure(CancellationError()) }
          state.waiters.append(Waiter(id: id, condition: condition, continuation: continuation))
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.cancelled.insert(id)
        let waiter = state.waiters.first { $0.id == id }
        state.waiters.removeAll { $0.id == id }
        return waiter
      }
      waiter?.continuation.resume(throwing: CancellationError())
    }
  }
}
