import Redaction
import ReplayPlan

/// Answers compared with the recorded ones, and the first that were not like them.
struct VerificationTally {
  /// Examples that are kept.
  private static let examples = 5

  private var figures = ReplaySummary.Verification()

  mutating func add(_ verdict: AnswerVerifier.Verdict) {
    switch verdict {
    case .skipped: return
    case .equal: figures.equal += 1
    case .different(let difference):
      figures.different += 1
      if figures.examples.count < VerificationTally.examples { figures.examples.append(difference) }
    }
    figures.checked += 1
  }

  mutating func merge(_ other: VerificationTally) {
    figures.checked += other.figures.checked
    figures.equal += other.figures.equal
    figures.different += other.figures.different
    figures.examples = Array(
      (figures.examples + other.figures.examples).prefix(VerificationTally.examples))
  }

  /// The figures; what looks like a secret in examples is replaced.
  func shown(_ mode: VerifyMode) -> ReplaySummary.Verification {
    var shown = figures
    shown.mode = mode.rawValue
    let redactor = PayloadRedactor(PayloadRules(key: .random(), rules: [.secrets]))
    for i in shown.examples.indices {
      shown.examples[i].what = redactor.text(shown.examples[i].what)
    }
    return shown
  }
}
