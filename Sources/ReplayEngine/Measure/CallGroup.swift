import Histogram
import ReplayPlan
import Trace

/// Calls of one kind: a tool, a turn, a stage. Its histogram is made with the first call.
struct CallGroup {
  private var outcomes = OutcomeCounts()
  private var succeeded = 0
  private var within400ms = 0
  private var latency: Histogram<UInt32>?

  mutating func add(_ outcome: Outcome, succeeded isSuccess: Bool, microseconds: UInt64) {
    outcomes[outcome] += 1
    if isSuccess {
      succeeded += 1
      if microseconds <= Recorder.line { within400ms += 1 }
    }
    if latency == nil { latency = Recorder.histogram() }
    latency?.record(microseconds)
  }

  mutating func merge(_ other: CallGroup) {
    outcomes.add(other.outcomes)
    succeeded += other.succeeded
    within400ms += other.within400ms
    guard let more = other.latency else { return }
    if latency == nil { latency = more } else { latency?.add(more) }
  }

  /// Its figures; `nil` when there was no call.
  var figures: ReplaySummary.CallFigures? {
    guard let latency else { return nil }
    var figures = ReplaySummary.CallFigures()
    figures.calls = outcomes.total
    figures.outcomes = outcomes.dictionary
    figures.succeeded = succeeded
    figures.within400ms = within400ms
    figures.latency = .init(latency)
    return figures
  }
}
