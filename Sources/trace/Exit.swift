import ArgumentParser
import Glibc
import Trace

/// The exit codes of this program, and how it says what went wrong.
enum Exit {
  /// An input that cannot be read or is not what it should be.
  static let unreadable = ExitCode(65)
  /// The output cannot be created.
  static let cannotCreate = ExitCode(73)
  /// Reading or writing failed on the way.
  static let inputOutput = ExitCode(74)

  /// Says why `file` could not be read and returns the exit code for it.
  static func report(_ error: TraceFormatError, file: String) -> ExitCode {
    guard case .io(let code) = error.reason else {
      let advice: String =
        switch error.reason {
        case .notATrace, .laterVersion, .damaged: ""
        default: "; 'trace validate' lists all that is wrong"
        }
      complain("\(file): \(error)\(advice)")
      return unreadable
    }
    let failedToOpen = error.line == nil || code == EISDIR
    let what =
      failedToOpen ? "cannot be opened" : "cannot be read on from byte \(error.offset ?? 0)"
    complain("\(file): \(what): \(reason(code)); give the path of a readable .mcptrace file")
    return failedToOpen ? unreadable : inputOutput
  }

  /// Warns about a last line that was cut off.
  static func warnTornTail(_ bytes: Int, file: String) {
    guard bytes > 0 else { return }
    complain(
      "\(file): the trace is cut off at its end (\(bytes) bytes); all lines before that were read")
  }

  /// Writes one line to standard error.
  static func complain(_ message: String) {
    _ = write(message + "\n", to: STDERR_FILENO)
  }

  /// Writes to standard output. A reader that went away ends the program quietly.
  ///
  /// - Throws: `ExitCode` when nothing more can be written.
  static func print(_ text: String) throws {
    guard let code = write(text, to: STDOUT_FILENO) else { return }
    if code == EPIPE { throw ExitCode.success }
    complain("standard output cannot be written: \(reason(code)); free space or redirect it")
    throw inputOutput
  }

  /// Writes all of `text`; returns `errno` when that fails.
  private static func write(_ text: String, to descriptor: Int32) -> Int32? {
    var text = text
    return text.withUTF8 { bytes in
      var at = 0
      while at < bytes.count {
        let count = unsafe Glibc.write(
          descriptor, bytes.baseAddress?.advanced(by: at), bytes.count - at)
        if count < 0, errno == EINTR { continue }
        if count < 0 { return errno }
        at += count
      }
      return nil
    }
  }

  /// What `errno` says.
  static func reason(_ code: Int32) -> String {
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
  }
}
