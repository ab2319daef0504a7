public import ReplayPlan

/// A run's result as JUnit XML, for CI: a test case for each threshold, and one that says whether the result is valid.
public struct JUnitXML {
  private let summary: ReplaySummary

  /// Renders `summary`.
  public init(_ summary: ReplaySummary) { self.summary = summary }

  /// The document, with a line end.
  public var text: String {
    let missed = summary.thresholds.count { !$0.isMet }
    let attributes =
      "tests=\"\(summary.thresholds.count + 1)\" failures=\"\(missed)\" errors=\"\(summary.isValid ? 0 : 1)\""
    var lines = [
      #"<?xml version="1.0" encoding="UTF-8"?>"#, "<testsuites name=\"replay\" \(attributes)>",
      "  <testsuite name=\"replay\" \(attributes)>",
    ]
    lines += testCase(
      "the result is valid",
      summary.isValid
        ? nil : (kind: "error", what: "invalid", text: summary.reasons.joined(separator: "\n")))
    for threshold in summary.thresholds {
      let value = threshold.value.map { "it was \(Format.decimal($0, digits: 6))" } ?? "no value"
      let note = threshold.note.map { "; " + $0 } ?? ""
      lines += testCase(
        threshold.expression,
        threshold.isMet ? nil : (kind: "failure", what: "missed", text: value + note))
    }
    lines += ["  </testsuite>", "</testsuites>"]
    return lines.joined(separator: "\n") + "\n"
  }

  private func testCase(
    _ name: String, _ trouble: (kind: String, what: String, text: String)?
  ) -> [String] {
    let head = "    <testcase classname=\"replay\" name=\"\(JUnitXML.escaped(name))\""
    guard let trouble else { return [head + "/>"] }
    let text = JUnitXML.escaped(trouble.text)
    return [
      head + ">", "      <\(trouble.kind) type=\"\(trouble.what)\" message=\"\(text)\"/>",
      "    </testcase>",
    ]
  }

  /// Text as XML 1.0 allows it in an attribute; characters that it has not become U+FFFD.
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\n", "\t", "\r": out += "&#\(scalar.value);"
      case _ where scalar.value < 0x20 || scalar.value == 0xfffe || scalar.value == 0xffff:
        out.unicodeScalars.append("\u{fffd}")
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
