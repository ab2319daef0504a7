import Histogram
import ReplayPlan

extension Recorder {
  /// Takes in what another loop of the same run measured.
  mutating func merge(_ other: Recorder) {
    fromDue.add(other.fromDue)
    fromSent.add(other.fromSent)
    firstByte.add(other.firstByte)
    fromIntended.add(other.fromIntended)
    successes.add(other.successes)
    lag.add(other.lag)
    readLag.add(other.readLag)
    slip.add(other.slip)
    advance.add(other.advance)
    thinkError.add(other.thinkError)
    outcomes.add(other.outcomes)
    prologue.add(other.prologue)
    change.okOK += other.change.okOK
    change.okErr += other.change.okErr
    change.errOK += other.change.errOK
    change.errErr += other.change.errErr
    succeeded += other.succeeded
    within400ms += other.within400ms
    for i in tools.indices { tools[i].merge(other.tools[i]) }
    for i in turns.indices { turns[i].merge(other.turns[i]) }
    for i in stages.indices { stages[i].merge(other.stages[i]) }
    for i in requests.indices { requests[i] += other.requests[i] }
    repetitions.merge(other.repetitions, uniquingKeysWith: +)
    untold.merge(other.untold, uniquingKeysWith: +)
    skippedBy.merge(other.skippedBy, uniquingKeysWith: +)
    aborted += other.aborted
    unresolved.merge(other.unresolved)
    sentBins.merge(other.sentBins)
    dueBins.merge(other.dueBins)
    callBins.merge(other.callBins)
    lagLog.merge(other.lagLog)
    failures.merge(other.failures)
    verification.merge(other.verification)
    processorTime += other.processorTime
    bytesAtRisk += other.bytesAtRisk
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
