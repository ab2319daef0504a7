import ReplayPlan
import Synchronization
import Trace

/// Thresholds that are judged while a run goes on: those with windows, and those that end it.
///
/// Every loop delivers its counts once a second; a second is judged when all loops that still work have delivered it.
final class LiveThresholds: Sendable {
  private struct Loop {
    /// Seconds that wait for those of the others.
    var waiting: [[LiveCounts]] = []
    var hasEnded = false
  }

  private struct State {
    var windows: [WindowedThreshold]
    var loops: [Loop]
    var cause: String?
  }

  /// What has to be counted, threshold by threshold.
  let figures: [LiveFigure]
  /// How many of them, from the first, end the run.
  private let aborting: Int
  private let state: Mutex<State>
  private let abort: @Sendable () -> Void

  /// Creates it; `nil` when there is nothing to judge. `abort` is called when one of `aborting` is missed.
  init?(
    aborting: [Threshold], demanded: [Threshold], loops: Int, abort: @escaping @Sendable () -> Void
  ) {
    let ends = aborting.compactMap { WindowedThreshold($0) }
    let windows = ends + demanded.compactMap { WindowedThreshold($0) }
    guard !windows.isEmpty else { return nil }
    self.aborting = ends.count
    self.abort = abort
    figures = windows.map(\.figure)
    state = Mutex(State(windows: windows, loops: Array(repeating: Loop(), count: loops)))
  }

  /// Takes the next second of a loop.
  func deliver(_ loop: Int, _ counts: [LiveCounts]) {
    let mustAbort = state.withLock { state in
      state.loops[loop].waiting.append(counts)
      return judge(&state)
    }
    if mustAbort { abort() }
  }

  /// Takes the last part of a second of a loop that has ended; from then on nothing happens in it.
  func finish(_ loop: Int, _ counts: [LiveCounts]) {
    let mustAbort = state.withLock { state in
      state.loops[loop].waiting.append(counts)
      state.loops[loop].hasEnded = true
      return judge(&state)
    }
    if mustAbort { abort() }
  }

  /// Judges all seconds that are whole; returns whether the run has to end for that.
  private func judge(_ state: inout State) -> Bool {
    while true {
      // When the last loop has ended, what is left is no whole second.
      let working = state.loops.filter { !$0.hasEnded }
      guard !working.isEmpty, working.allSatisfy({ !$0.waiting.isEmpty }) else { return false }
      var sums = figures.map { _ in LiveCounts() }
      for loop in state.loops.indices where !state.loops[loop].waiting.isEmpty {
        let counts = state.loops[loop].waiting.removeFirst()
        for i in sums.indices { sums[i].add(counts[i]) }
      }
      for i in sums.indices { state.windows[i].add(sums[i]) }
      if state.cause == nil, let miss = state.windows[..<aborting].lazy.compactMap(\.miss).first {
        state.cause = miss
        return true
      }
    }
  }

  /// Why the run was ended; `nil` when it was not.
  var cause: String? { state.withLock { $0.cause } }

  /// What came of all of them, those that end the run first.
  var results: [ReplaySummary.ThresholdResult] {
    state.withLock { state in
      state.windows.enumerated().map { i, window in
        var result = window.result
        guard i < aborting else { return result }
        result.expression = "--abort-on " + result.expression
        // One that was never judged did not end the run.
        result.isMet = window.miss == nil
        return result
      }
    }
  }
}

/// What one loop counts for one threshold in the present second.
struct LiveWatch {
  private let tool: Int32?
  private let view: LiveFigure.View?
  private var counts = LiveCounts()

  init(_ figure: LiveFigure, _ labels: CallLabels) {
    tool = figure.tool.map { name in Int32(labels.tools.firstIndex(of: name) ?? -1) }
    view = figure.view
  }

  mutating func addCall(_ record: RequestRecord, _ label: CallLabels.Label) {
    if let tool, tool != label.tool { return }
    let isSuccess = label.isSuccess(record.outcome)
    let took = record.done - record.sent
    counts.calls += 1
    if isSuccess { counts.succeeded += 1 }
    if isSuccess, Recorder.microseconds(took) <= Recorder.line { counts.within400ms += 1 }
    if label.then == .ok, record.outcome != .ok { counts.newErrors += 1 }
    counts.outcomes[record.outcome, default: 0] += 1
    switch view {
    case .fromSent: counts.times.add(Recorder.microseconds(took))
    case .fromDue: counts.times.add(Recorder.microseconds(record.done - record.due))
    case .firstByte:
      if let first = record.first { counts.times.add(Recorder.microseconds(first - record.sent)) }
    case .lag, nil: break
    }
  }

  mutating func addRequest(lag: UInt64) {
    if view == .lag { counts.times.add(lag) }
  }

  /// Ends the second.
  mutating func take() -> LiveCounts {
    let taken = counts
    counts = LiveCounts()
    return taken
  }
}
