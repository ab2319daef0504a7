import Glibc
import ReplayEngine
import Report
import Synchronization

/// How far a run is: one line that is rewritten on a terminal, else a line every five seconds.
final class ProgressLine: Sendable {
  private let whole: Whole
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let last = Atomic<Int64>(0)
  private static let interval: Int64 = 4_900_000_000

  /// What is known of the end.
  enum Whole {
    /// Nanoseconds that the run is to take.
    case length(Int64)
    /// Calls that are to be sent.
    case calls(Int)
  }

  init(_ whole: Whole) { self.whole = whole }

  /// Shows the state at `elapsed` nanoseconds.
  func show(_ elapsed: Int64, _ progress: RunProgress) {
    let time = Format.duration(nanoseconds: elapsed)
    let (until, calls) =
      switch whole {
      case .length(let length): (" of about " + Format.duration(nanoseconds: length), "calls")
      case .calls(let count): ("", "of \(count) calls")
      }
    let line =
      "\(time)\(until): \(progress.agents) agents, \(progress.sent) \(calls) sent, "
      + "\(progress.inFlight) in flight, \(progress.failed) failed"
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
