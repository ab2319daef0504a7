import ArgumentParser
import Glibc

/// Exit codes of the contract that `replay` uses.
enum Exit {
  static let missed = ExitCode(1)
  static let invalid = ExitCode(2)
  static let usage = ExitCode(64)
  static let unreadableInput = ExitCode(65)
  static let unreachable = ExitCode(69)
  static let cannotCreate = ExitCode(73)
  static let ioError = ExitCode(74)
  static let interrupted = ExitCode(130)
}

/// Writes text to a descriptor; what cannot be written there is lost.
func put(_ text: String, to descriptor: Int32) { _ = putAll(text, to: descriptor) }

/// Writes text to a descriptor; returns whether all of it went there (else `errno` says why).
func putAll(_ text: String, to descriptor: Int32) -> Bool {
  let bytes = Array(text.utf8)
  var from = 0
  while from < bytes.count {
    let rest = bytes[from...]
    let written = unsafe rest.withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
    }
    if written < 0, errno == EINTR { continue }
    if written <= 0 { return false }
    from += written
  }
  return true
}

/// Writes one line to standard error.
func say(_ line: String) { put(line + "\n", to: STDERR_FILENO) }

/// Says why the command cannot go on, and returns the code to exit with.
func failure(_ code: ExitCode, _ sentence: String) -> ExitCode {
  say("replay: " + sentence)
  return code
}

/// The system's words for an error number.
func words(_ errno: Int32) -> String { unsafe String(cString: strerror(errno)) }
