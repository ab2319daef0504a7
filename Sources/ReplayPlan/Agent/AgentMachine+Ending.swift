import Trace

/// How an agent comes to its end.
extension AgentMachine {
  /// Nothing new is sent from here on but the DELETE.
  mutating func close(_ how: Closing, _ now: Int64) {
    guard closing == nil else { return }
    closing = how
    endRecovery(now)
    for i in states.indices where states[i].phase == .scheduled || states[i].phase == .waiting {
      guard book.facts[i].kind != .delete, !isOwed(i) else { continue }
      disarm(.due(i))
      if states[i].phase != .over { omit(i, at: max(states[i].ready, states[i].gate)) }
    }
    // Repetitions and rounds that were to come will not.
    for alarm in alarms {
      if case .again(let i) = alarm.what, !isPolling(i) {
        over(i, extras[i].failure ?? .unanswered, now)
      }
    }
  }

  mutating func finishIfDone(_ now: Int64) {
    guard !isFinished else { return }
    if closing != nil, left > 0, openTasks.isEmpty { closeSession() }
    // A client answers what it was asked even when it needs nothing more itself.
    guard left == 0, replies.isEmpty else { return }
    if let until = farewell, now < until {
      disarm(.farewell)
      return arm(.farewell, until)
    }
    isFinished = true
    alarms = []
    for i in openTasks.sorted() { closeTask(i, .unanswered, at: now) }
    for exchange in exchanges {
      if case .step(let i) = exchange.purpose, states[i].phase == .over,
        book.facts[i].isLongLived
      {
        record(i, .cancelled, at: now)
      }
    }
    actions.append(
      .finished(
        AgentEnd(
          isChainExact: isChainExact, lostSession: lostSession, isStillborn: isStillborn)))
  }

  /// Until when a client listens that does nothing else any more: as in the recording, and not without having been let in.
  private var farewell: Int64? {
    let last = states.count - 1
    guard closing == nil, last >= 0, book.facts[last].isLongLived,
      let exchange = exchanges.first(where: { $0.purpose == .step(last) })
    else { return nil }
    let isLetIn = book.isStdio || exchange.status != nil
    return states[last].due + max(timing.farewell, isLetIn ? 0 : policy.callTimeout)
  }

  /// The recorded DELETE is sent as soon as nothing else is in flight, unless there is no session to end.
  private mutating func closeSession() {
    guard !states.contains(where: { $0.phase == .flying }) else { return }
    for i in states.indices where states[i].phase != .over {
      if identity.sessionID != nil, !lostSession {
        transmit(i)
      } else {
        conclude(i, at: states[i].ready, failed: false)
      }
    }
  }
}
