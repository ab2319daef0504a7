import Glibc
import Synchronization

/// Passes the signals that are meant for a child process on to it.
///
/// A signal of the terminal goes to the whole foreground group: the child has it already. Those that a process sent are passed on.
public enum SignalRelay {
  private static let child = Atomic<Int32>(0)

  /// Takes over SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2 from now on.
  public static func start(to id: Int32) {
    child.store(id, ordering: .relaxed)
    for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2] {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_sigaction = { number, info, _ in
        let saved = errno
        let id = SignalRelay.child.load(ordering: .relaxed)
        // Given by the system with SA_SIGINFO.
        let isOfProcess = unsafe info.map { unsafe $0.pointee.si_code <= 0 } ?? true
        if id > 0, isOfProcess { kill(id, number) }
        errno = saved
      }
      action.sa_flags = SA_SIGINFO | SA_RESTART
      // The structure is copied.
      unsafe sigaction(number, &action, nil)
    }
  }

  /// The child is gone; signals are ignored from now on.
  public static func stop() { child.store(0, ordering: .relaxed) }
}
