public import Basics
import Redaction
public import ReplayPlan
public import Trace

/// What of answers may be shown: nothing that looks like a secret, or that the recording hid.
///
/// A rule that the recording knows by name alone can't be followed: then only the shape of answers is shown.
public struct ShownAnswers {
  private let redactor: PayloadRedactor

  /// Follows the rules of a recording.
  public init(_ traffic: RecordedTraffic) {
    let names = traffic.redactionRules.filter { !Redactor.ruleNames.contains($0) }
    let rules = names.compactMap { RedactionRule(named: $0) }
    redactor = PayloadRedactor(
      PayloadRules(
        key: .random(), rules: [.secrets] + rules,
        isShape: traffic.payloads != .full || rules.count < names.count))
  }

  /// Returns the answer to a call that ended so, as it may be shown.
  public func answer(_ answer: RawJSON, _ outcome: Outcome) -> RawJSON {
    let part: PayloadPart = outcome == .ok || outcome == .toolError ? .result : .error
    return redactor.payload(answer, part, of: "tools/call").json
  }

  /// Returns what it says to people: the error's message, or the first text of the content.
  public func message(_ answer: RawJSON, _ outcome: Outcome) -> String? {
    let shown = self.answer(answer, outcome).value
    return shown["message"]?.string ?? shown["content"]?[0]?["text"]?.string
  }
}
