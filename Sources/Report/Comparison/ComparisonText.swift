public import Analysis

/// Two runs side by side, for people.
public struct ComparisonText {
  private let comparison: RunComparison

  /// Renders `comparison`.
  public init(_ comparison: RunComparison) { self.comparison = comparison }

  /// Verdict and table, with line ends.
  public var text: String {
    var lines = [verdict]
    if !comparison.isSamePlan {
      lines.append(
        "  the plans differ: what the load changes is not told from what the server changed")
    }
    var table = Table([
      .text("figure", limit: 60), .number("first"), .number("second"), .text("difference"),
      .text(""),
    ])
    for row in comparison.rows {
      table.add([
        row.name, value(row.first, row), value(row.second, row), row.difference,
        word(row.verdict),
      ])
    }
    return lines.joined(separator: "\n") + "\n\n" + table.text()
  }

  private var verdict: String {
    if let trouble = comparison.trouble { return "NOT COMPARABLE: \(trouble)" }
    if comparison.isRegression { return "REGRESSION" }
    return comparison.rows.contains { $0.verdict == .better } ? "better" : "no real difference"
  }

  private func value(_ value: Double?, _ row: RunComparison.Row) -> String {
    guard let value else { return "–" }
    if row.isTime { return Format.duration(milliseconds: value) }
    return row.isRate ? Format.decimal(value, digits: 1) : Format.percent(value)
  }

  private func word(_ verdict: RunComparison.Verdict) -> String {
    switch verdict {
    case .same: "same"
    case .better: "better"
    case .worse: "WORSE"
    case .unknown: "too few calls"
    }
  }
}
