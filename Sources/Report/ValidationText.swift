public import Analysis

/// What a validation found, in lines.
public enum ValidationText {
  /// Returns `FILE: ok, N lines, M sessions`, or a line for every error.
  public static func text(_ report: ValidationReport, file: String) -> String {
    if report.isValid {
      return "\(file): ok, \(Format.count(report.lines, "line")), "
        + "\(Format.count(report.sessions, "session"))\n"
    }
    var out = ""
    for error in report.errors { out += "\(file): \(text(error))\n" }
    let more = report.errorCount - report.errors.count
    if more > 0 { out += "\(file): \(Format.count(more, "more error"))\n" }
    return out
  }

  /// Returns `line L: reason`.
  public static func text(_ finding: ValidationReport.Finding) -> String {
    let reason = Format.printable(finding.reason)
    return finding.line.map { "line \($0): \(reason)" } ?? reason
  }
}
