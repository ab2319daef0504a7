import Glibc
import Histogram
import NIOCore
import ReplayPlan
import Spawn
import Trace

/// What one loop measured; merged at the end.
struct Recorder {
  struct ToolRecord {
    var outcomes: [Outcome: Int] = [:]
    var latency = Recorder.histogram()
  }

  /// Microseconds.
  var fromDue = Recorder.histogram()
  var fromSent = Recorder.histogram()
  var fromIntended = Recorder.histogram()
  var successes = Recorder.histogram()
  var lag = Recorder.histogram()
  var slip = Recorder.histogram()
  var thinkError = Recorder.histogram()
  var outcomes: [Outcome: Int] = [:]
  /// How calls of the prologue ended.
  var prologue: [Outcome: Int] = [:]
  var change = ReplaySummary.OutcomeChange()
  var succeeded = 0
  var within400ms = 0
  var tools: [String: ToolRecord] = [:]
  var requests: [String: Int] = [:]
  /// What the target's revision has no counterpart of, by method.
  var untold: [String: Int] = [:]
  var skippedBy: [SkipReason: Int] = [:]
  var aborted = 0
  var unresolved = UnresolvedTally()
  /// Requests sent and due, and calls sent, by 100 ms of the run.
  var sentBins: [Int: Int] = [:]
  var dueBins: [Int: Int] = [:]
  var callBins: [Int: Int] = [:]
  var firstDue: Int64 = .max
  var lastDone: Int64 = 0
  var agentsStarted = 0
  var agentsFinished = 0
  var exactChains = 0
  var lostSessions = 0
  var agentTime: Int64 = 0
  var callsPlanned = 0
  /// Connections that failed for want of the generator's own means (ports, descriptors).
  var ownFailures = 0
  /// Processes that could not be started, and why the first.
  var startFailures = 0
  var startCause: String?
  /// Bytes of all connections, and those that were no HTTP.
  var bytes = 0
  var garbageBytes = 0
  var garbageCount = 0

  static let bin: Int64 = 100_000_000
  private static let ownErrors: Set<CInt> = [EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM]

  static func histogram() -> Histogram<UInt32> {
    Histogram(numberOfSignificantValueDigits: .three)
  }

  mutating func add(_ record: RequestRecord, _ step: ScriptStep) {
    guard !record.isPrologue else { return addPrologue(record, step) }
    if !step.isLongLived {
      sentBins[Int(record.sent / Recorder.bin), default: 0] += 1
      dueBins[Int(record.due / Recorder.bin), default: 0] += 1
      note(&lag, record.sent - record.due)
    }
    guard step.isCall else {
      requests[step.method, default: 0] += 1
      return
    }
    callBins[Int(record.sent / Recorder.bin), default: 0] += 1
    firstDue = min(firstDue, record.due)
    lastDone = max(lastDone, record.done)
    outcomes[record.outcome, default: 0] += 1
    note(&fromDue, record.done - record.due)
    note(&fromSent, record.done - record.sent)
    note(&fromIntended, record.done - record.ideal)
    note(&slip, record.due - record.ideal)
    if let error = record.thinkError { note(&thinkError, abs(error)) }
    if step.isSuccess(record.outcome) {
      succeeded += 1
      note(&successes, record.done - record.sent)
      if record.done - record.sent <= 400_000_000 { within400ms += 1 }
    }
    let tool = step.tool ?? ""
    tools[tool, default: ToolRecord()].outcomes[record.outcome, default: 0] += 1
    note(&tools[tool, default: ToolRecord()].latency, record.done - record.sent)
    noteChange(record.outcome, step)
  }

  private mutating func addPrologue(_ record: RequestRecord, _ step: ScriptStep) {
    guard step.isCall else { return }
    prologue[record.outcome, default: 0] += 1
  }

  /// One of several requests for which a step stands; the last one comes as the step's own.
  mutating func repeated(_ record: RequestRecord, _ method: String) {
    sentBins[Int(record.done / Recorder.bin), default: 0] += 1
    dueBins[Int(record.done / Recorder.bin), default: 0] += 1
    requests[method, default: 0] += 1
  }

  private mutating func noteChange(_ outcome: Outcome, _ step: ScriptStep) {
    guard step.outcome != nil else { return }
    switch (step.succeededThen, outcome == .ok) {
    case (true, true): change.okOK += 1
    case (true, false): change.okErr += 1
    case (false, true): change.errOK += 1
    case (false, false): change.errErr += 1
    }
  }

  private func note(_ histogram: inout Histogram<UInt32>, _ nanoseconds: Int64) {
    histogram.record(UInt64(max(0, nanoseconds) / 1000))
  }

  mutating func omit(_ reason: SkipReason?) {
    if let reason { skippedBy[reason, default: 0] += 1 } else { aborted += 1 }
  }

  /// All calls of an agent that never began.
  mutating func omit(_ script: AgentScript, _ agent: PlannedAgent, _ reason: SkipReason?) {
    callsPlanned += script.callCount(of: agent)
    for i in script.callSteps(of: agent) { omit(script.skips[i] ?? reason) }
  }

  mutating func agentStarted(calls: Int) {
    agentsStarted += 1
    callsPlanned += calls
  }

  mutating func agentEnded(_ end: AgentEnd, life: Int64) {
    agentsFinished += 1
    agentTime += life
    if end.isChainExact { exactChains += 1 }
    if end.lostSession { lostSessions += 1 }
  }

  mutating func garbage(_ bytes: Int) {
    garbageBytes += bytes
    garbageCount += 1
  }

  mutating func connectFailed(_ error: any Error) {
    guard let error = error as? IOError else { return }
    if Recorder.ownErrors.contains(error.errnoCode) { ownFailures += 1 }
  }

  mutating func startFailed(_ error: ChildProcess.StartError) {
    startFailures += 1
    startCause = startCause ?? "\(error)"
  }

  mutating func merge(_ other: Recorder) {
    fromDue.add(other.fromDue)
    fromSent.add(other.fromSent)
    fromIntended.add(other.fromIntended)
    successes.add(other.successes)
    lag.add(other.lag)
    slip.add(other.slip)
    thinkError.add(other.thinkError)
    outcomes.merge(other.outcomes, uniquingKeysWith: +)
    prologue.merge(other.prologue, uniquingKeysWith: +)
    change.okOK += other.change.okOK
    change.okErr += other.change.okErr
    change.errOK += other.change.errOK
    change.errErr += other.change.errErr
    succeeded += other.succeeded
    within400ms += other.within400ms
    for (tool, record) in other.tools {
      tools[tool, default: ToolRecord()].outcomes.merge(record.outcomes, uniquingKeysWith: +)
      tools[tool, default: ToolRecord()].latency.add(record.latency)
    }
    requests.merge(other.requests, uniquingKeysWith: +)
    untold.merge(other.untold, uniquingKeysWith: +)
    skippedBy.merge(other.skippedBy, uniquingKeysWith: +)
    aborted += other.aborted
    unresolved.merge(other.unresolved)
    sentBins.merge(other.sentBins, uniquingKeysWith: +)
    dueBins.merge(other.dueBins, uniquingKeysWith: +)
    callBins.merge(other.callBins, uniquingKeysWith: +)
    firstDue = min(firstDue, other.firstDue)
    lastDone = max(lastDone, other.lastDone)
    agentsStarted += other.agentsStarted
    agentsFinished += other.agentsFinished
    exactChains += other.exactChains
    lostSessions += other.lostSessions
    agentTime += other.agentTime
    callsPlanned += other.callsPlanned
    ownFailures += other.ownFailures
    startFailures += other.startFailures
    startCause = startCause ?? other.startCause
    bytes += other.bytes
    garbageBytes += other.garbageBytes
    garbageCount += other.garbageCount
  }
}
