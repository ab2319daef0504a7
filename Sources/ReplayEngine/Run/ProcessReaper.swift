import NIOCore
import Spawn

/// The stdio servers of one loop whose input was closed: looks now and then whether they have ended, and ends those that don't.
///
/// As clients do it (MCP lifecycle, shutdown): the input is closed, then SIGTERM, then SIGKILL.
final class ProcessReaper {
  /// How long a server may take to end by itself, and then after SIGTERM.
  private static let patience: Int64 = 2_000_000_000
  private static let interval = TimeAmount.milliseconds(20)

  private struct Entry {
    var child: ChildProcess
    var since: Int64
    var wasTold = false
  }

  private var left: [Entry] = []
  private let loop: any EventLoop
  private let clock: RunClock
  private let done: () -> Void

  /// True when all have ended.
  var isEmpty: Bool { left.isEmpty }

  /// `done` is called whenever the last one has ended.
  init(_ loop: any EventLoop, _ clock: RunClock, done: @escaping () -> Void) {
    self.loop = loop
    self.clock = clock
    self.done = done
  }

  /// Takes over a server whose input is closed, or that has ended.
  func add(_ child: ChildProcess) {
    left.append(Entry(child: child, since: clock.now))
    if left.count == 1 { look() }
  }

  private func look() {
    let now = clock.now
    left.removeAll { $0.child.hasEnded() }
    for i in left.indices where now - left[i].since > ProcessReaper.patience {
      left[i].child.signal(left[i].wasTold ? ProcessReaper.kill : ProcessReaper.terminate)
      left[i].wasTold = true
      left[i].since = now
    }
    guard !left.isEmpty else { return done() }
    loop.assumeIsolated().scheduleTask(in: ProcessReaper.interval) { self.look() }
  }

  private static let terminate: Int32 = 15
  private static let kill: Int32 = 9
}
