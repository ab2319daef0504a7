import ArgumentParser
import Basics
import Dissection
import Glibc
import Trace

/// What agents may be told apart by on demand (`--session-key`).
enum SessionEvidence: String, CaseIterable, ExpressibleByArgument {
  case credential
  case clientInfo = "client-info"
  case connection
  case traceContext = "trace-context"
}

/// Options that every source shares.
struct RecordingOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: "The trace to write, created with mode 0600; '-' is standard output."
  )
  var output: String

  @Flag(help: "Write an 'exchange' line for every HTTP exchange, with sizes and SHA-256 of bodies.")
  var exchanges = false

  @Flag(help: "Keep credentials in headers and URLs as they are.")
  var noRedact = false

  @Option(
    help: ArgumentHelp(
      "Key for surrogates: recorders that share it give equal surrogates to equal credentials.",
      discussion: "Default: a fresh key for each recording.", valueName: "file"))
  var redactionKey: String?

  @Option(
    help: ArgumentHelp(
      "What tells agents apart that name no session.",
      discussion: "Default: an inference from all that is known; the trace says how sure it is.",
      valueName: "evidence"))
  var sessionKey: SessionEvidence?

  @Option(help: "A session silent for this many seconds, without an open stream, ends as idle.")
  var sessionIdle = 1800.0

  @Option(help: "Requests within this many milliseconds of their turn's first belong to it.")
  var siblingGap = 20.0

  @Flag(name: .shortAndLong, help: "Only errors on standard error, no progress and no summary.")
  var quiet = false

  func validate() throws {
    // A century: what nanoseconds in 64 bits hold.
    let most = 3e9
    guard sessionIdle > 0, sessionIdle < most, siblingGap >= 0, siblingGap < most * 1e3 else {
      throw ValidationError(
        "--session-idle and --sibling-gap take positive numbers, at most a century")
    }
  }

  /// What the dissection is told.
  func dissection() throws -> DissectionOptions {
    var redactor: Redactor?
    if !noRedact { redactor = Redactor(key: try key()) }
    var options = DissectionOptions(redactor: redactor)
    options.exchanges = exchanges
    options.sessionKey = sessionKey.flatMap { SessionKey.By(rawValue: $0.rawValue) }
    options.siblingGap = Int64(siblingGap * 1e6)
    options.sessionIdle = Int64(sessionIdle * 1e9)
    return options
  }

  private func key() throws -> RedactionKey {
    guard let redactionKey else { return .random() }
    let descriptor = unsafe open(redactionKey, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw failure(
        Exit.unreadableInput, "cannot read the redaction key \(redactionKey): \(words(errno))")
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    guard count >= 16 else {
      throw failure(
        Exit.unreadableInput,
        "the redaction key \(redactionKey) holds fewer than 16 bytes: write 32 random ones to it")
    }
    return RedactionKey(bytes: Array(bytes.prefix(count)))
  }
}
