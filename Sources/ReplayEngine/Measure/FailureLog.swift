import Basics
import Redaction
import ReplayPlan
import Trace

/// The first calls of each class of failure.
struct FailureLog {
  /// Samples of each class.
  private static let perClass = 3
  /// Characters of an answer that are shown.
  private static let shown = 400

  /// Samples, and the answers as they came.
  private var samples: [(sample: ReplaySummary.FailureSample, answer: RawJSON?)] = []
  private var counts = OutcomeCounts()

  /// True when calls that ended so are known well enough.
  func isFull(_ outcome: Outcome) -> Bool { counts[outcome] >= FailureLog.perClass }

  mutating func add(_ sample: ReplaySummary.FailureSample, _ answer: RawJSON?) {
    counts[sample.outcome] += 1
    samples.append((sample, answer?.owned))
  }

  mutating func merge(_ other: FailureLog) {
    samples = (samples + other.samples).sorted { $0.sample.at < $1.sample.at }
    counts = OutcomeCounts()
    samples.removeAll { entry in
      counts[entry.sample.outcome] += 1
      return counts[entry.sample.outcome] > FailureLog.perClass
    }
  }

  /// The samples without what looks like a secret, or what the recording hid. A rule that the recording knows by name alone can't be
  /// followed: then only the shape of answers is shown.
  func shown(_ traffic: RecordedTraffic) -> [ReplaySummary.FailureSample] {
    let names = traffic.redactionRules.filter { !Redactor.ruleNames.contains($0) }
    let rules = names.compactMap { RedactionRule(named: $0) }
    let redactor = PayloadRedactor(
      PayloadRules(
        key: .random(), rules: [.secrets] + rules,
        isShape: traffic.payloads != .full || rules.count < names.count))
    return samples.map { sample, answer in
      var sample = sample
      let part: PayloadPart = sample.outcome == .toolError ? .result : .error
      sample.answer = answer.map {
        let text = redactor.payload($0, part, of: "tools/call").json.text
        return text.utf8.count <= FailureLog.shown ? text : text.prefix(FailureLog.shown) + "…"
      }
      return sample
    }
  }
}
