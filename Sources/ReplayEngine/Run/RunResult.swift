import Basics
import Glibc
import Histogram
public import ReplayPlan
public import Trace

/// What a run measured.
public struct RunResult: Sendable {
  let recorder: Recorder
  let setup: RunSetup
  let elapsed: Int64
  let busiestLoop: Double
  /// True when the user stopped it.
  public let interrupted: Bool

  /// Bytes of all connections.
  public var bytes: Int { recorder.bytes }

  /// Those that were no HTTP, and how often they came.
  public var garbage: FooterLine.Loss {
    .init(count: recorder.garbageCount, bytes: recorder.garbageBytes)
  }

  /// Returns the figures, judged by `maxLag`.
  public func summary(of traffic: RecordedTraffic, maxLag: Int64) -> ReplaySummary {
    var summary = ReplaySummary()
    let plan = setup.plan
    summary.plan.digest = plan.digest
    summary.plan.seed = plan.options.seed
    summary.plan.sessions = plan.sessions ?? recorder.agentsStarted
    summary.plan.calls = plannedCalls
    summary.plan.sourceSessions = traffic.scripts.count
    summary.plan.distinctCallShare = plan.forecast.distinctCallShare
    summary.outcomes = recorder.outcomes
    summary.sent = recorder.outcomes.values.reduce(0, +)
    summary.skippedBy = recorder.skippedBy
    summary.aborted = recorder.aborted
    summary.agents.peak = setup.gauges.peakAgents
    summary.agents.mean = elapsed > 0 ? Double(recorder.agentTime) / Double(elapsed) : 0
    summary.agents.expectedMean = plan.forecast.meanAgents
    summary.agents.started = recorder.agentsStarted
    summary.agents.finished = recorder.agentsFinished
    summary.outcomeChange = recorder.change
    summary.prologue = recorder.prologue
    summary.requests = recorder.requests
    addRevisions(&summary)
    summary.loopUtilisation = busiestLoop
    addShares(&summary)
    addTimes(&summary)
    addFidelity(&summary, traffic)
    judge(&summary, maxLag)
    return summary
  }

  private func addRevisions(_ summary: inout ReplaySummary) {
    for script in setup.plan.scripts.map(\.session) {
      let told = script.recordedRevision != nil ? script.revision : nil
      if let recorded = script.recordedRevision ?? script.revision {
        summary.revisions.recorded[recorded, default: 0] += 1
      }
      if let told { summary.revisions.told[told, default: 0] += 1 }
    }
    summary.revisions.untold = recorder.untold
  }

  /// What was planned; where the run itself decides how many agents there are, what was begun.
  private var plannedCalls: Int { setup.plan.calls ?? recorder.callsPlanned }

  private func addShares(_ summary: inout ReplaySummary) {
    guard summary.sent > 0 else { return }
    let sent = Double(summary.sent)
    summary.successRatio = Double(recorder.succeeded) / sent
    summary.newErrorRatio = Double(recorder.change.okErr) / sent
    summary.within400ms = Double(recorder.within400ms) / sent
    let span = recorder.lastDone - recorder.firstDue
    if span > 0 { summary.throughput.callsPerSecond = sent / (Double(span) / 1e9) }
  }

  private func addTimes(_ summary: inout ReplaySummary) {
    summary.latency.fromDue = .init(recorder.fromDue)
    summary.latency.fromSent = .init(recorder.fromSent)
    summary.latency.fromIntended = .init(recorder.fromIntended)
    summary.latency.adjusted = .init(
      recorder.successes, failures: summary.sent - recorder.succeeded, isAdjusted: true)
    summary.lag = .init(recorder.lag)
    summary.slip = .init(recorder.slip)
    summary.thinkError = .init(recorder.thinkError)
    var seconds: [Int: Int] = [:]
    for (bin, count) in recorder.callBins { seconds[bin / 10, default: 0] += count }
    summary.throughput.peak = seconds.values.max() ?? 0
    summary.throughput.planned = setup.plan.forecast.callsPerSecond
    for (tool, record) in recorder.tools {
      var figures = ReplaySummary.ToolFigures()
      figures.calls = record.outcomes.values.reduce(0, +)
      figures.outcomes = record.outcomes
      figures.latency = .init(record.latency)
      summary.tools[tool] = figures
    }
  }

  private func addFidelity(_ summary: inout ReplaySummary, _ traffic: RecordedTraffic) {
    var fidelity = ReplaySummary.Fidelity()
    if recorder.agentsStarted > 0 {
      fidelity.chainsExact = Double(recorder.exactChains) / Double(recorder.agentsStarted)
    }
    let explicit = traffic.scripts.count { $0.key?.by.isExplicit ?? false }
    fidelity.sessionsExplicit = explicit
    fidelity.sessionsInferred = traffic.scripts.count - explicit
    let confidences = traffic.scripts.compactMap { $0.key?.confidence }.sorted()
    if !confidences.isEmpty { fidelity.confidenceP10 = confidences[confidences.count / 10] }
    let waiting = traffic.scripts.flatMap(\.steps).filter { $0.isCall && !$0.after.isEmpty }
    if !waiting.isEmpty {
      fidelity.waitsOnOrder =
        Double(waiting.count { $0.waitsOnOrderAlone }) / Double(waiting.count)
    }
    let bins = Bins(sent: recorder.sentBins, due: recorder.dueBins)
    fidelity.executionRMSE = bins.executionRMSE
    fidelity.idcValues = [1, 10, 100, 600].map { bins.indexOfDispersion(window: $0) }
    fidelity.windows = bins.count
    fidelity.peakConcurrency = setup.gauges.peakCalls
    fidelity.idcBand = setup.plan.forecast.idcBand
    summary.fidelity = fidelity
  }

  private func judge(_ summary: inout ReplaySummary, _ maxLag: Int64) {
    let limit = Double(maxLag) / 1e6
    let lag = Double(recorder.lag.valueAtPercentile(99)) / 1000
    if recorder.lag.totalCount > 0, lag > limit {
      summary.isValid = false
      summary.reasons.append(
        "the generator was late: lag p99 \(milliseconds(lag)) exceeds --max-lag "
          + "\(milliseconds(limit)); give it idle processors or fewer agents")
    } else if recorder.lag.totalCount > 0, lag > limit / 4 {
      summary.isDegraded = true
      summary.reasons.append(
        "the generator was near its limit: lag p99 \(milliseconds(lag)) is above a quarter of "
          + "--max-lag \(milliseconds(limit)); latencies may hold some of it")
    }
    if recorder.ownFailures > 0 {
      summary.isValid = false
      summary.reasons.append(
        "\(recorder.ownFailures) connections failed for want of local ports or descriptors; "
          + "raise `ulimit -n` or run fewer agents")
    }
    if recorder.startFailures > 0, let cause = recorder.startCause {
      summary.isValid = false
      summary.reasons.append(
        "\(recorder.startFailures) processes were not there: \(cause); raise `ulimit -u` and `ulimit -n` or run fewer agents"
      )
    }
    if summary.plan.calls > 0, let reason = recorder.unresolved.reason(of: summary.plan.calls) {
      let share = Double(recorder.unresolved.calls) / Double(summary.plan.calls)
      if share > UnresolvedTally.limit { summary.isValid = false }
      if share > UnresolvedTally.limit / 4 { summary.isDegraded = true }
      summary.reasons.append(reason)
    }
    if interrupted {
      summary.isValid = false
      summary.reasons.append(
        "interrupted: \(summary.aborted) planned calls were not sent; let the run end")
    }
    if summary.sent + summary.skipped + summary.aborted != summary.plan.calls {
      summary.isValid = false
      summary.reasons.append("the plan was not carried out: some calls are unaccounted for")
    }
    if summary.sent == 0, !interrupted {
      summary.isValid = false
      summary.reasons.append("no call was sent; see skipped_by, --only and --skip")
    }
    if summary.isValid == false { summary.isDegraded = true }
  }

  private func milliseconds(_ value: Double) -> String {
    "\((value * 10).rounded() / 10) ms"
  }
}
