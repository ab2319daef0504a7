import ArgumentParser
import Glibc

/// Exit codes of the contract that `record` uses (sysexits.h).
enum Exit {
  static let usage = ExitCode(64)
  static let unreadableInput = ExitCode(65)
  static let unreachable = ExitCode(69)
  static let internalError = ExitCode(70)
  static let cannotCreate = ExitCode(73)
  static let ioError = ExitCode(74)
}

/// Writes one line to standard error.
func say(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  var from = 0
  while from < bytes.count {
    let rest = bytes[from...]
    let written = unsafe rest.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
    if written <= 0 { return }
    from += written
  }
}

/// Says why the command can't go on, and returns the code to exit with.
func failure(_ code: ExitCode, _ sentence: String) -> ExitCode {
  say("record: " + sentence)
  return code
}

/// The system's words for an error number.
func words(_ errno: Int32) -> String { unsafe String(cString: strerror(errno)) }
