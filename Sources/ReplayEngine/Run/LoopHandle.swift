import Glibc
import NIOCore
import ReplayPlan

/// What the rest of the program may do with a loop's worker.
struct LoopHandle: Sendable {
  private let worker: NIOLoopBound<LoopWorker>
  private let loop: any EventLoop
  private let done: EventLoopFuture<Void>

  /// Creates a worker on its loop and starts it.
  static func begin(
    _ setup: RunSetup, _ loop: any EventLoop, index: Int
  ) async throws -> LoopHandle {
    try await loop.submit {
      let worker = LoopWorker(setup, loop, index: index)
      return LoopHandle(
        worker: NIOLoopBound(worker, eventLoop: loop), loop: loop, done: worker.begin())
    }.get()
  }

  /// Hands over agents in order of their coming.
  func add(_ agents: [AwaitedAgent], isLast: Bool) {
    loop.execute { worker.value.add(agents, isLast: isLast) }
  }

  /// Hands over a fresh credential.
  func take(_ credential: Credential) {
    loop.execute { worker.value.take(credential) }
  }

  func stop(_ how: AgentStop) {
    loop.execute { worker.value.stop(how) }
  }

  /// Waits for the last agent; returns what was measured, and the share of a processor that the loop took.
  func finish() async throws -> (Recorder, Double) {
    try await done.get()
    return try await loop.submit { (worker.value.measured, worker.value.utilisation) }.get()
  }
}

/// Processor time of the calling thread, nanoseconds.
func threadTime() -> Int64 {
  var time = timespec()
  // Only fills in the struct it is given.
  unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
