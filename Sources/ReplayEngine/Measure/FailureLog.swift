import Basics
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

  /// The samples without what looks like a secret, or what the recording hid.
  func shown(_ traffic: RecordedTraffic) -> [ReplaySummary.FailureSample] {
    let shown = ShownAnswers(traffic)
    return samples.map { sample, answer in
      var sample = sample
      sample.answer = answer.map {
        let text = shown.answer($0, sample.outcome).text
        return text.utf8.count <= FailureLog.shown ? text : text.prefix(FailureLog.shown) + "…"
      }
      return sample
    }
  }
}
