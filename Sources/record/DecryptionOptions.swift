import ArgumentParser
import Glibc
import NIOCore
import Wire

/// Options of sources that see TLS from outside.
struct DecryptionOptions: ParsableArguments {
  @Option(
    name: .customLong("keylog"),
    help: ArgumentHelp(
      "TLS secrets in the NSS key log format (SSLKEYLOGFILE); may be given more than once.",
      valueName: "file"))
  var keyLogs: [String] = []

  /// Reads the key logs; `mayGrow` says whether secrets may still come in other ways.
  func keyLog(mayGrow: Bool) throws -> TLSKeyLog {
    let log = TLSKeyLog(mayGrow: mayGrow)
    for path in keyLogs { try read(path, into: log) }
    return log
  }

  private func read(_ path: String, into log: TLSKeyLog) throws {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path, 1, words(errno)) }
    defer { close(descriptor) }
    var reader = TLSKeyLogReader(log)
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      guard count >= 0 else { throw unreadable(path, reader.lines + 1, words(errno)) }
      if count == 0 { break }
      reader.append(ByteBuffer(bytes: bytes[..<count]))
    }
    reader.finish()
    guard let line = reader.firstMalformed else { return }
    guard reader.secrets + reader.ignored > 0 else {
      throw unreadable(path, line, "not a line of a TLS key log; expected LABEL RANDOM SECRET")
    }
    say(
      "record: warning: \(path), line \(line): not a line of a TLS key log (\(reader.malformed) such in all)"
    )
  }

  private func unreadable(_ path: String, _ line: Int, _ cause: String) -> ExitCode {
    failure(Exit.unreadableInput, "cannot read the key log \(path), line \(line): \(cause)")
  }
}
