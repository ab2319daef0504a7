public import ArgumentParser
import Basics
import Dissection
import Redaction
public import Trace

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

  @Flag(
    help:
      "Keep credentials as they are: those in headers, URLs, '_meta' and bodies that are no message."
  )
  var noRedact = false

  @Option(
    help: ArgumentHelp(
      "Replace in payloads what the rule names; may be repeated.",
      discussion: RedactionRule.help, valueName: "rule"))
  var redact: [String] = []

  @Option(
    help: ArgumentHelp(
      "What of params, results and errors is kept: full, shape or none.",
      discussion: """
        shape keeps structure, names, types and lengths, and the protocol's own words; every other string and number is a \
        surrogate. 'proxy' wants it said when the upstream is not loopback; else full.
        """))
  var payloads: HeaderLine.Payloads?

  @Option(
    help: ArgumentHelp(
      "Key for surrogates: recorders that share it give equal surrogates to equal values.",
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
    if noRedact, !redact.isEmpty {
      throw ValidationError("--no-redact keeps everything, --redact does not: give one of them")
    }
    _ = try rules()
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
    options.rules = try rules()
    options.payloads = payloads ?? .full
    return options
  }

  private func rules() throws -> [RedactionRule] {
    do throws(RedactionRule.SyntaxError) {
      return try RedactionRule.rules(redact)
    } catch {
      throw ValidationError("--redact \(error)")
    }
  }

  private func key() throws -> RedactionKey {
    guard let redactionKey else { return .random() }
    do throws(RedactionKey.FileError) {
      return try RedactionKey(file: redactionKey)
    } catch {
      throw failure(Exit.unreadableInput, "\(error)")
    }
  }
}

extension HeaderLine.Payloads: ExpressibleByArgument {}
