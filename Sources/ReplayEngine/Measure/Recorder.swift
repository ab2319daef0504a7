import Glibc
import Histogram
import NIOCore
import ReplayPlan
import Spawn
import Trace

/// What one loop measured; merged at the end.
///
/// On the way of every request: names are numbers (`CallLabels`), counts are in arrays.
struct Recorder {
  /// 400 ms: a call that takes no longer is a good one.
  static let line: UInt64 = 400_000

  let labels: CallLabels
  /// Microseconds.
  var fromDue = Recorder.histogram()
  var fromSent = Recorder.histogram()
  var firstByte = Recorder.histogram()
  var fromIntended = Recorder.histogram()
  var successes = Recorder.histogram()
  var lag = Recorder.histogram()
  var readLag = Recorder.histogram()
  /// Due after and before the ideal offset.
  var slip = Recorder.histogram()
  var advance = Recorder.histogram()
  var thinkError = Recorder.histogram()
  var outcomes = OutcomeCounts()
  /// How calls of the prologue ended.
  var prologue = OutcomeCounts()
  var change = ReplaySummary.OutcomeChange()
  var succeeded = 0
  var within400ms = 0
  var tools: [CallGroup]
  var turns: [CallGroup]
  /// Calls by stage; the ends of the stages, nanoseconds of the run, the last of which is open.
  var stages: [CallGroup]
  let stageEnds: [Int64]
  /// Requests that are no call by the number of their method, and those of which a step stands for several by name.
  var requests: [Int]
  var repetitions: [String: Int] = [:]
  /// What the target's revision has no counterpart of, by method.
  var untold: [String: Int] = [:]
  var skippedBy: [SkipReason: Int] = [:]
  var aborted = 0
  var unresolved = UnresolvedTally()
  /// Requests sent and due, and calls sent, by 100 ms of the run.
  var sentBins = TimeBins()
  var dueBins = TimeBins()
  var callBins = TimeBins()
  var lagLog = LagLog()
  /// What windowed thresholds are judged by; mostly empty.
  var watches: [LiveWatch] = []
  var failures = FailureLog()
  var verification = VerificationTally()
  /// Processor time of the loops, nanoseconds.
  var processorTime: Int64 = 0
  /// Bytes of messages that sessions had exchanged when calls were sent that failed.
  var bytesAtRisk = 0
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

  private static let ownErrors: Set<CInt> = [EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM]

  static func histogram() -> Histogram<UInt32> {
    Histogram(numberOfSignificantValueDigits: .three)
  }

  init(_ labels: CallLabels, stageEnds: [Int64] = []) {
    self.labels = labels
    self.stageEnds = stageEnds
    tools = Array(repeating: CallGroup(), count: labels.tools.count)
    turns = Array(repeating: CallGroup(), count: CallLabels.turnNames.count)
    stages = Array(repeating: CallGroup(), count: stageEnds.count)
    requests = Array(repeating: 0, count: labels.methods.count)
  }

  mutating func add(_ record: RequestRecord, _ label: CallLabels.Label) {
    guard !record.isPrologue else {
      if label.isCall { prologue[record.outcome] += 1 }
      return
    }
    if !label.isLongLived {
      sentBins.add(at: record.sent)
      dueBins.add(at: record.due)
      let late = Recorder.microseconds(record.sent - record.due)
      lag.record(late)
      lagLog.add(at: record.sent, microseconds: late, sentBins)
      for i in watches.indices { watches[i].addRequest(lag: late) }
    }
    guard label.isCall else {
      requests[Int(label.method)] += 1
      return
    }
    callBins.add(at: record.sent)
    firstDue = min(firstDue, record.due)
    lastDone = max(lastDone, record.done)
    outcomes[record.outcome] += 1
    let took = Recorder.microseconds(record.done - record.sent)
    fromDue.record(Recorder.microseconds(record.done - record.due))
    fromSent.record(took)
    if let first = record.first { firstByte.record(Recorder.microseconds(first - record.sent)) }
    fromIntended.record(Recorder.microseconds(record.done - record.ideal))
    if record.due >= record.ideal {
      slip.record(Recorder.microseconds(record.due - record.ideal))
    } else {
      advance.record(Recorder.microseconds(record.ideal - record.due))
    }
    if let error = record.thinkError { thinkError.record(Recorder.microseconds(abs(error))) }
    let isSuccess = label.isSuccess(record.outcome)
    if isSuccess {
      succeeded += 1
      successes.record(took)
      if took <= Recorder.line { within400ms += 1 }
    }
    let tool = Int(label.tool)
    tools[tool].add(record.outcome, succeeded: isSuccess, microseconds: took)
    turns[Int(label.turn)].add(record.outcome, succeeded: isSuccess, microseconds: took)
    if !stages.isEmpty {
      let stage = stageEnds.firstIndex { record.sent < $0 } ?? stages.count - 1
      stages[stage].add(record.outcome, succeeded: isSuccess, microseconds: took)
    }
    noteChange(record.outcome, label)
    for i in watches.indices { watches[i].addCall(record, label) }
  }

  /// One of several requests for which a step stands; the last one comes as the step's own.
  mutating func repeated(_ record: RequestRecord, _ method: String) {
    sentBins.add(at: record.done)
    dueBins.add(at: record.done)
    repetitions[method, default: 0] += 1
  }

  private mutating func noteChange(_ outcome: Outcome, _ label: CallLabels.Label) {
    guard let then = label.then else { return }
    switch (then == .ok, outcome == .ok) {
    case (true, true): change.okOK += 1
    case (true, false): change.okErr += 1
    case (false, true): change.errOK += 1
    case (false, false): change.errErr += 1
    }
  }

  /// What windowed thresholds are judged by, since the last time.
  mutating func takeSecond() -> [LiveCounts] { watches.indices.map { watches[$0].take() } }

  static func microseconds(_ nanoseconds: Int64) -> UInt64 { UInt64(max(0, nanoseconds) / 1000) }

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
}
