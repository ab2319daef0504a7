import Glibc
import Synchronization

/// A flag that SIGINT or SIGTERM raises, for work that runs in a loop; a second one ends the program as usual.
enum StopFlag {
  private static let raised = Atomic(false)

  /// Takes over the handling of both signals from now on.
  static func install() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        StopFlag.raised.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// True once a signal came.
  static var isRaised: Bool { raised.load(ordering: .relaxed) }
}
