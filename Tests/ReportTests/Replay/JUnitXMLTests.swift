import ReplayPlan
import Report
import Testing

@Suite struct `The result as JUnit XML` {
  private func summary(isValid: Bool) -> ReplaySummary {
    var summary = ReplaySummary()
    summary.isValid = isValid
    summary.reasons = isValid ? [] : ["the generator was late: lag p99 \"30 ms\" & more"]
    summary.thresholds = [
      .init(expression: "success_ratio>0.99", isMet: true, value: 1, limit: 0.99),
      .init(expression: "p99<400ms", isMet: false, value: 512.5, limit: 400, note: "why\u{1}"),
    ]
    return summary
  }

  @Test func `has a case for each threshold and one for validity`() {
    #expect(
      JUnitXML(summary(isValid: true)).text == """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="replay" tests="3" failures="1" errors="0">
          <testsuite name="replay" tests="3" failures="1" errors="0">
            <testcase classname="replay" name="the result is valid"/>
            <testcase classname="replay" name="success_ratio&gt;0.99"/>
            <testcase classname="replay" name="p99&lt;400ms">
              <failure type="missed" message="it was 512.5; why\u{fffd}"/>
            </testcase>
          </testsuite>
        </testsuites>

        """)
  }

  @Test func `an invalid result is an error`() {
    let text = JUnitXML(summary(isValid: false)).text
    #expect(text.contains(#"errors="1""#))
    #expect(text.contains("lag p99 &quot;30 ms&quot; &amp; more"))
  }

  @Test func `the text begins with the verdict`() {
    func verdict(_ summary: ReplaySummary) -> Substring? {
      SummaryText(summary).text.split(separator: "\n").first
    }
    #expect(
      verdict(summary(isValid: true)) == "FAILED: 1 of 2 thresholds missed (the result is valid)")
    #expect(verdict(summary(isValid: false))?.hasPrefix("INVALID") == true)
    var met = summary(isValid: true)
    met.thresholds.removeLast()
    #expect(verdict(met) == "PASSED: 1 of 1 threshold met (the result is valid)")
    #expect(verdict(ReplaySummary()) == "valid")
  }
}
