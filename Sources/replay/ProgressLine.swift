import Glibc
import ReplayEngine
import Report
import Synchronization

/// How far a run is: one line that is rewritten on a terminal, else a line every five seconds.
final class ProgressLine: Sendable {
  private let length: Int64
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let last = Atomic<Int64>(0)
  private static let interval: Int64 = 4_900_000_000

  init(length: Int64) { self.length = length }

  /// Shows the state at `elapsed` nanoseconds.
  func show(_ elapsed: Int64, _ progress: RunProgress) {
    let line =
      "\(Format.duration(nanoseconds: elapsed)) of about \(Format.duration(nanoseconds: length)): "
      + "\(progress.agents) agents, \(progress.sent) calls sent, \(progress.inFlight) in flight, "
      + "\(progress.failed) failed"
    if isTerminal {
      put("\r\u{1b}[K" + line, to: STDERR_FILENO)
    } else if elapsed - last.load(ordering: .relaxed) >= ProgressLine.interval {
      last.store(elapsed, ordering: .relaxed)
      say(line)
    }
  }

  /// Leaves the line.
  func end() { if isTerminal { say("") } }
}
