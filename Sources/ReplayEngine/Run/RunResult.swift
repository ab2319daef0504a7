import Basics
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

  /// The threshold of `abortOn` that ended it, and how it was missed.
  public let abortCause: String?

  /// What came of the thresholds that were judged while it went on, those of `abortOn` first.
  public var thresholds: [ReplaySummary.ThresholdResult] { setup.live?.results ?? [] }

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
    summary.outcomes = recorder.outcomes.dictionary
    summary.sent = recorder.outcomes.total
    summary.skippedBy = recorder.skippedBy
    summary.aborted = recorder.aborted
    summary.agents.peak = setup.gauges.peakAgents
    summary.agents.mean = elapsed > 0 ? Double(recorder.agentTime) / Double(elapsed) : 0
    summary.agents.expectedMean = plan.forecast.meanAgents
    summary.agents.started = recorder.agentsStarted
    summary.agents.finished = recorder.agentsFinished
    summary.outcomeChange = recorder.change
    summary.tokensAtRisk = .init(bytes: recorder.bytesAtRisk)
    summary.samples = recorder.failures.shown(traffic)
    summary.verification = recorder.verification.shown(setup.verifier?.options.mode ?? .off)
    if summary.sent > 0 {
      summary.cpuPerCall = Double(recorder.processorTime) / 1000 / Double(summary.sent)
    }
    addRequests(&summary)
    addGroups(&summary)
    summary.prologue.calls = recorder.prologue.total
    summary.prologue.outcomes = recorder.prologue.dictionary
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
    summary.latency.firstByte = .init(recorder.firstByte)
    summary.latency.fromIntended = .init(recorder.fromIntended)
    summary.latency.adjusted = .init(
      recorder.successes, failures: summary.sent - recorder.succeeded, isAdjusted: true)
    summary.lag = .init(recorder.lag)
    summary.busiestLag = recorder.lagLog.busiestP99(recorder.sentBins)
    summary.readLag = .init(recorder.readLag)
    summary.slip = .init(recorder.slip, below: recorder.advance)
    summary.thinkError = .init(recorder.thinkError)
    let bins = recorder.callBins.counts
    summary.throughput.peak =
      stride(from: 0, to: bins.count, by: 10).map { second in
        bins[second..<min(second + 10, bins.count)].reduce(0) { $0 + Int($1) }
      }.max() ?? 0
    summary.throughput.planned = setup.plan.forecast.callsPerSecond
  }

  private func addGroups(_ summary: inout ReplaySummary) {
    for (tool, group) in zip(recorder.labels.tools, recorder.tools) {
      if let figures = group.figures { summary.tools[tool] = figures }
    }
    summary.turns = zip(CallLabels.turnNames, recorder.turns).compactMap { name, group in
      group.figures.map { (name, $0) }
    }
    var from: Int64 = 0
    for (end, group) in zip(recorder.stageEnds, recorder.stages) {
      summary.stages.append(.init(from: from, to: end, calls: group.figures ?? .init()))
      from = end
    }
  }

  private func addRequests(_ summary: inout ReplaySummary) {
    summary.requests = recorder.repetitions
    for (method, count) in zip(recorder.labels.methods, recorder.requests) where count > 0 {
      summary.requests[method, default: 0] += count
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
    fidelity.idcValues = bins.indicesOfDispersion(within: setup.plan.holds)
    fidelity.idcBand = setup.plan.forecast.idcBand
    fidelity.windows = bins.count
    fidelity.peakConcurrency = setup.gauges.peakCalls
    fidelity.idcBand = setup.plan.forecast.idcBand
    summary.fidelity = fidelity
  }
}
