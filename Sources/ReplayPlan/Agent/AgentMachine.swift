public import Basics
import Trace

/// One clone of a session, without I/O: when it sends what, and what an answer changes.
///
/// Theory: a step is released when all answers it waits for have come *in this run*; it is due its think time after the latest
/// of them. Deadlines are absolute: lateness of one is not passed on to the next. A clone is a client of its own: session
/// id, revision, JSON-RPC ids, progress tokens and cursors come from this server's answers, never from the recording.
///
/// Step phases: waiting → scheduled → flying → over; waiting | scheduled → over when it is left out.
/// Invariant: every call is recorded or omitted exactly once before `finished`.
///
/// Three kinds of wrong input: a step index out of range is our bug; answers to nothing, garbage and lost connections are the
/// peer's fault and become outcomes; what belongs to an exchange that is over is ignored.
public struct AgentMachine {
  enum Alarm: Hashable {
    case due(Int)
    case timeout(Int)
    case cancel(Int)
    case again(Int)
    case resume(Int)
    /// The answer to a question of the server, by the number of the question.
    case reply(Int)
    /// A handshake after a lost session, and its end.
    case recover
    case recoveryTimeout
    /// The end of a subscription with which the session ends.
    case farewell
  }

  let script: AgentScript
  let book: RequestBook
  let policy: AgentPolicy
  /// When its steps are due.
  let timing: StepTiming
  /// Start, nanoseconds since the run's beginning; negative when the session is under way by then.
  public let start: Int64
  var identity = ClientIdentity()
  var states: [StepState]
  var extras = StepExtras()
  /// The ids with which steps in flight were sent.
  var ids: [(step: Int, id: RawJSON)] = []
  var alarms: [(at: Int64, what: Alarm)] = []
  var exchanges: [Exchange] = []
  /// What few of them have, by their number.
  var rests: [Int: ExchangeRest] = [:]
  var lastExchange = 0
  var nextID: Int64
  /// Recorded answers that were given, by method and place.
  var answered: [String: Set<Int>] = [:]
  /// Answers to questions of the server that take their time, by the number of the question.
  var replies: [Int: (method: String, body: JSONValue, id: RawJSON)] = [:]
  var questions = 0
  /// What rounds that wait for their time add to the params.
  var pendingRounds: [Int: [JSONValue.Member]] = [:]
  /// The script's values, as this clone's answers gave them.
  var values: [RawJSON?]
  /// Calls that were answered with a task which is not over.
  var openTasks: Set<Int> = []
  var closing: Closing?
  var lostSession = false
  var recovery = Recovery()
  /// True when the session could not even be opened.
  var isStillborn = false
  var isChainExact = true
  /// Steps that are not over.
  var left: Int
  var isFinished = false
  var actions: [AgentAction] = []
  /// The latest instant of the prologue.
  var entered: Int64 = 0

  enum Closing {
    case omit(SkipReason?)
  }

  /// Creates an agent whose session starts at `start`; `seed` is that of its own chance.
  public init(
    _ script: AgentScript, _ book: RequestBook, _ policy: AgentPolicy, start: Int64,
    seed: UInt64 = 0
  ) {
    self.script = script
    timing = script.timing(seed: seed, age: max(0, -start))
    self.book = book
    self.policy = policy
    self.start = start
    states = book.facts.indices.map { i in
      var state = StepState(start: start)
      state.missing = book.waits[i]
      return state
    }
    values = Array(repeating: nil, count: script.session.values.count)
    left = states.count
    nextID = book.firstID
    identity.traces.seed = seed
  }

  /// Gives it its row of the feed, and what tells its trace context from that of other runs.
  public mutating func use(row: [RawJSON?], run: UInt64) {
    identity.row = row
    identity.traces.seed = SplitMix64.seed(identity.traces.seed, run)
  }

  /// When `timer` wants to be called next, nanoseconds since the run's beginning.
  public var nextDeadline: Int64? { alarms.last?.at }

  /// The header that the trace of this run names the session by.
  public var sessionID: String? { identity.sessionID }

  /// Begins at `now`: steps that wait for nothing are scheduled; what the session has behind it is over.
  public mutating func begin(at now: Int64 = 0) -> [AgentAction] {
    if start < 0 { enter(now) }
    for i in states.indices where states[i].missing == 0 && states[i].phase == .waiting {
      release(i)
    }
    finishIfDone(start)
    return take()
  }

  /// Does what is due at `now`.
  public mutating func timer(_ now: Int64) -> [AgentAction] {
    while let alarm = alarms.last, alarm.at <= now {
      alarms.removeLast()
      switch alarm.what {
      case .due(let i) where isRecovering: recovery.held.append(i)
      case .again(let i) where isRecovering: recovery.held.append(i)
      case .due(let i): transmit(i)
      case .timeout(let i): giveUp(i, .timeout, now)
      case .cancel(let i): giveUp(i, .cancelled, now)
      case .again(let i): transmitAgain(i)
      case .resume(let i): resume(i)
      case .reply(let k): reply(k)
      case .farewell: break
      case .recover: recover(now)
      case .recoveryTimeout: failRecovery(now)
      }
    }
    finishIfDone(now)
    return take()
  }

  /// Says when an exchange's request was given to the kernel.
  public mutating func sent(_ exchange: Int, at now: Int64) {
    guard let at = exchanges.firstIndex(where: { $0.number == exchange }) else { return }
    guard case .step(let i) = exchanges[at].purpose, states[i].phase == .flying else { return }
    let step = book.facts[i]
    if states[i].sent == nil {
      states[i].sent = now
      checkOrder(i, now)
      if step.isCancelled, let cancellation = script.session.steps[i].cancellation {
        arm(.cancel(i), now + cancellation.after)
      }
    }
    if step.isTimed || i == book.channelStep {
      disarm(.timeout(i))
      arm(.timeout(i), now + policy.callTimeout)
    }
  }

  /// Says that an exchange's request waits for a connection: its time runs.
  public mutating func queued(_ exchange: Int, at now: Int64) {
    guard let i = step(waitingOn: exchange), book.facts[i].isTimed || i == book.channelStep
    else { return }
    disarm(.timeout(i))
    arm(.timeout(i), now + policy.callTimeout)
  }

  /// Whether an exchange's request is still to be sent.
  public func isWaiting(for exchange: Int) -> Bool {
    guard let entry = exchanges.first(where: { $0.number == exchange }) else { return false }
    guard case .step = entry.purpose else { return true }
    return step(waitingOn: exchange) != nil
  }

  private func step(waitingOn exchange: Int) -> Int? {
    guard case .step(let i)? = exchanges.first(where: { $0.number == exchange })?.purpose,
      states[i].exchange == exchange, states[i].phase == .flying
    else { return nil }
    return i
  }

  /// Stops the agent, gently or at once.
  public mutating func stop(_ how: AgentStop, _ now: Int64) -> [AgentAction] {
    guard !isFinished else { return take() }
    close(.omit(how == .duration ? .duration : nil), now)
    if how == .now {
      for i in states.indices where states[i].phase == .flying { over(i, .unanswered, now) }
      exchanges = []
      rests = [:]
      replies = [:]
      alarms.removeAll()
      left = 0
    }
    finishIfDone(now)
    return take()
  }

  /// When the last step is over, one that is left out at the time when it would have been; nanoseconds since the run's beginning.
  public var until: Int64 { states.lazy.map(\.done).max() ?? start }
  /// True when anything was sent.
  public var hasSent: Bool { lastExchange > 0 }

  mutating func take() -> [AgentAction] {
    guard !actions.isEmpty else { return [] }
    let taken = actions
    actions = []
    return taken
  }

  mutating func arm(_ what: Alarm, _ at: Int64) {
    var low = 0
    var high = alarms.count
    while low < high {
      let middle = (low + high) / 2
      if alarms[middle].at > at { low = middle + 1 } else { high = middle }
    }
    alarms.insert((at, what), at: low)
  }

  mutating func disarm(_ what: Alarm) {
    guard !alarms.isEmpty else { return }
    alarms.removeAll { $0.what == what }
  }

  /// The id with which a step in flight was sent.
  func id(of i: Int) -> RawJSON? {
    for entry in ids where entry.step == i { return entry.id }
    return nil
  }

  mutating func setID(of i: Int, _ id: RawJSON?) {
    if let at = ids.firstIndex(where: { $0.step == i }) { ids.remove(at: at) }
    if let id { ids.append((i, id)) }
  }

  /// All that a step waits for is over.
  mutating func release(_ i: Int) {
    let step = book.facts[i]
    states[i].due = max(states[i].ready + timing.think[i], states[i].gate)
    if script.holdsIdeal { states[i].due = max(states[i].due, start + timing.ideal[i]) }
    if states[i].isPrologue {
      states[i].due = entered
    } else if start < 0 {
      states[i].due = max(0, states[i].due)
    }
    let state = states[i]
    if closing != nil {
      // The DELETE has its own time then: when nothing is in flight.
      if isOwed(i) {
        if let missing = unresolved(i) {
          actions.append(.unresolved(missing))
          if script.onUnresolved != .recorded { return omit(i, .unresolved, at: state.due) }
        }
        states[i].phase = .scheduled
        arm(.due(i), state.due)
      } else if step.kind != .delete {
        omit(i, at: state.due)
      }
      return
    }
    if let omission = step.omission {
      if omission == .noCounterpart { actions.append(.untold(step: i)) }
      return conclude(i, at: state.due + step.service, failed: false)
    }
    if isWithoutTask(i) { return conclude(i, at: state.due, failed: false) }
    if let reason = script.skips[i] {
      // The agent's rhythm stays: what is left out takes as long as it did.
      return omit(i, reason, at: state.due + step.service)
    }
    if state.isPoisoned { return omit(i, .afterError, at: max(state.ready, state.gate)) }
    if let missing = unresolved(i) {
      actions.append(.unresolved(missing))
      switch script.onUnresolved {
      case .recorded: break
      case .skipDependents: return omit(i, .unresolved, at: state.due + step.service)
      case .endSession:
        extras[i].omission = .unresolved
        close(.omit(.afterError), state.due)
        // What an answered call still owes is not left out by that.
        if states[i].phase == .waiting { omit(i, .unresolved, at: state.due) }
        return
      }
    }
    states[i].phase = .scheduled
    arm(.due(i), state.due)
  }

  /// The first value that a step needs and does not have; all that could give it is over.
  private func unresolved(_ i: Int) -> UnresolvedValue? {
    if script.hidden[i] != nil { return UnresolvedValue(step: i, value: nil, cause: .redacted) }
    guard book.facts[i].isBound else { return nil }
    for binding in script.session.steps[i].bindings where values[binding.value] == nil {
      let source = states[script.session.values[binding.value].step]
      return UnresolvedValue(
        step: i, value: binding.value,
        cause: source.hasResult ? .notInAnswer : source.wasOmitted ? .notSent : .failed)
    }
    return nil
  }

  /// A step that is left out is over for those that wait for it.
  private mutating func omit(_ i: Int, _ reason: SkipReason?, at: Int64) {
    states[i].wasOmitted = true
    if book.facts[i].isCall, !states[i].isPrologue {
      actions.append(.omitted(step: i, reason))
      // What the filter or the run's end leaves out is no part of the planned chain.
      if script.skips[i] == nil, reason != .duration { isChainExact = false }
    }
    conclude(i, at: at, failed: reason == .afterError)
  }

  /// Leaves a step out because the agent is closing.
  mutating func omit(_ i: Int, at: Int64) {
    guard case .omit(let reason) = closing else { return }
    omit(i, script.skips[i] ?? extras[i].omission ?? reason, at: at)
  }

  /// Marks a step as over and releases what waited for it alone.
  mutating func conclude(_ i: Int, at: Int64, failed: Bool) {
    guard states[i].phase != .over else { return }
    let at = states[i].isPrologue ? came(i, at) : at
    states[i].phase = .over
    states[i].done = at
    states[i].exchange = nil
    setID(of: i, nil)
    left -= 1
    endTask(of: i, at)
    if !alarms.isEmpty { alarms.removeAll { $0.what.step == i } }
    if !pendingRounds.isEmpty { pendingRounds[i] = nil }
    let turn = book.facts[i].turn
    for follower in book.followers[i] {
      let next = follower.step
      if follower.isAfter {
        states[next].ready = max(states[next].ready, at)
        let step = book.facts[next]
        if failed, step.turn == turn, step.kind == .request { states[next].isPoisoned = true }
      }
      if follower.isGated { states[next].gate = max(states[next].gate, at) }
      states[next].missing -= 1
      if states[next].missing == 0, states[next].phase == .waiting { release(next) }
    }
  }

  /// A call was sent before an answer that it waits for: the chain is not the planned one.
  private mutating func checkOrder(_ i: Int, _ now: Int64) {
    guard book.facts[i].isCall, !states[i].isPrologue else { return }
    for earlier in script.session.steps[i].after
    where states[earlier].phase != .over || states[earlier].done > now {
      isChainExact = false
    }
  }
}

extension AgentMachine.Alarm {
  var step: Int? {
    switch self {
    case .due(let i), .timeout(let i), .cancel(let i), .again(let i), .resume(let i): i
    case .reply, .recover, .recoveryTimeout, .farewell: nil
    }
  }
}
