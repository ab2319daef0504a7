public import ArgumentParser
import Basics
import CommandSupport
import Dissection
import Redaction
public import Trace

/// Options that every source shares.
struct RecordingOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help:
      "The trace to write, created with mode 0600; '-' is standard output, and a name that ends in .zst is compressed."
  )
  var output: String

  @OptionGroup var compression: CompressionOptions

  @Flag(help: "Write an 'exchange' line for every HTTP exchange, with sizes and SHA-256 of bodies.")
  var exchanges = false

  @Flag(
    help:
      "Keep credentials as they are: those in headers, URLs, '_meta' and bodies that are no message."
  )
  var noRedact = false

  @OptionGroup var redaction: RedactionOptions

  @Option(
    help: ArgumentHelp(
      "What of params, results and errors is kept: full, shape or none.",
      discussion: """
        shape keeps structure, names, types and lengths, and the protocol's own words; every other string and number is a \
        surrogate. 'proxy' wants it said when the upstream is not loopback; else full.
        """))
  var payloads: HeaderLine.Payloads?

  @OptionGroup var sessions: SessionOptions

  @Flag(name: .shortAndLong, help: "Only errors on standard error, no progress and no summary.")
  var quiet = false

  func validate() throws {
    if noRedact, !redaction.isEmpty {
      throw ValidationError("--no-redact keeps everything, --redact does not: give one of them")
    }
  }

  /// Where the trace goes.
  var destination: TraceOutput { TraceOutput(path: output, level: compression.level) }

  /// What the dissection is told.
  func dissection() throws -> DissectionOptions {
    var redactor: Redactor?
    if !noRedact { redactor = Redactor(key: try key()) }
    var options = DissectionOptions(redactor: redactor)
    options.exchanges = exchanges
    sessions.apply(to: &options)
    options.rules = try redaction.rules()
    options.payloads = payloads ?? .full
    return options
  }

  private func key() throws -> RedactionKey {
    do throws(RedactionKey.FileError) {
      return try redaction.key()
    } catch {
      throw failure(Exit.unreadableInput, "\(error)")
    }
  }
}

extension HeaderLine.Payloads: ExpressibleByArgument {}
