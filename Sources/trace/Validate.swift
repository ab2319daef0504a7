import Analysis
import ArgumentParser
import Report
import Trace

/// `trace validate`
struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Check traces against the format: schema, references, waits, turns, outcomes, counts.",
    discussion: """
      Prints 'FILE: ok, N lines, M sessions', or 'FILE: line L: reason' for every error and exits 65. \
      A last line that is cut off and a missing footer are warnings.
      """)

  @Argument(help: "Traces to check; - is standard input.", completion: .file())
  var files: [String]

  @Option(help: "Errors that are listed for each file, at most.")
  var limit = 100

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
  }

  func run() throws {
    var failure: ExitCode?
    for file in files {
      let report: ValidationReport
      do {
        report = try TraceValidator.validate(path: file, limit: limit)
      } catch {
        failure = Exit.report(error, file: file)
        continue
      }
      for warning in report.warnings {
        Exit.complain("\(file): warning: \(ValidationText.text(warning))")
      }
      if !report.isValid { failure = Exit.unreadable }
      try Exit.print(ValidationText.text(report, file: file))
    }
    if let failure { throw failure }
  }
}
