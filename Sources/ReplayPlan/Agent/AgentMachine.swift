import Basics
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
  enum Phase: UInt8 {
    case waiting
    case scheduled
    case flying
    case over
  }

  struct StepState {
    var phase = Phase.waiting
    /// Steps that are not over yet.
    var missing = 0
    /// Latest answer it waited for, and latest gate.
    var ready: Int64
    var gate: Int64
    /// True for what a client that came in later does at once, uncounted.
    var isPrologue = false
    /// True when a failure of its turn takes it along.
    var isPoisoned = false
    var due: Int64 = 0
    var sent: Int64?
    var first: Int64?
    var done: Int64 = 0
    var exchange: Int?
    var round = 0
    var attempts = 0
    /// Repetitions after a failure.
    var tries = 0
    var resumes = 0
    /// The id it was sent with.
    var id: RawJSON?
    /// `nextCursor` of its answer.
    var cursor: RawJSON?
    /// True when its answer held a result; false for one that was left out.
    var hasResult = false
    var wasOmitted = false
    /// Why it is left out when the session ends with it.
    var omission: SkipReason?
    /// Outcome of the last try, when another was to follow.
    var failure: Outcome?
    /// Latest event id of its stream, and its latest reconnection time in milliseconds.
    var eventID: String?
    var retry: Int?
    /// Cursor of a page that the recording has not, and how many there were.
    var nextPage: RawJSON?
    var pages = 0
    /// The task that its answer promised, and when it has to be over.
    var task: TaskFacts?
    var taskDeadline: Int64?
    /// How the call ended by the last poll's answer.
    var taskOutcome: Outcome?
  }

  enum Alarm: Hashable {
    case due(Int)
    case timeout(Int)
    case cancel(Int)
    case again(Int)
    case resume(Int)
    /// The answer to a question of the server, by its place in `replies`.
    case reply(Int)
  }

  struct Exchange {
    var number: Int
    var purpose: Transmission.Purpose
    var status: Int?
    var first: Int64?
    var isInSession: Bool
    /// An error that names no request, as servers send it with a 4xx.
    var error: RawJSON?
    var eventID: String?
    var retry: Int?
    /// Header of the answer, where a later request wants a field of it.
    var fields: HeaderFields?
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
  var alarms: [(at: Int64, what: Alarm)] = []
  var exchanges: [Exchange] = []
  var lastExchange = 0
  var nextID: Int64
  /// Recorded answers that were given, by method and place.
  var answered: [String: Set<Int>] = [:]
  /// Answers to questions of the server that take their time.
  var replies: [(method: String, body: JSONValue, id: RawJSON)] = []
  /// What rounds that wait for their time add to the params.
  var pendingRounds: [Int: [JSONValue.Member]] = [:]
  /// The script's values, as this clone's answers gave them.
  var values: [RawJSON?]
  /// Calls that were answered with a task which is not over.
  var openTasks: Set<Int> = []
  var closing: Closing?
  var lostSession = false
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
    let steps = script.session.steps
    states = steps.map { step in
      var state = StepState(ready: start, gate: start)
      state.missing = Set(step.after + step.gates).count
      return state
    }
    values = Array(repeating: nil, count: script.session.values.count)
    left = steps.count
    nextID = steps.lazy.compactMap { $0.id?.value.int }.first ?? 0
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
      case .due(let i): transmit(i)
      case .timeout(let i): giveUp(i, .timeout, now)
      case .cancel(let i): giveUp(i, .cancelled, now)
      case .again(let i): transmitAgain(i)
      case .resume(let i): resume(i)
      case .reply(let k): reply(k)
      }
    }
    finishIfDone(now)
    return take()
  }

  /// Says when an exchange's request was given to the kernel.
  public mutating func sent(_ exchange: Int, at now: Int64) {
    guard let at = exchanges.firstIndex(where: { $0.number == exchange }) else { return }
    guard case .step(let i) = exchanges[at].purpose, states[i].phase == .flying else { return }
    if states[i].sent == nil {
      states[i].sent = now
      checkOrder(i, now)
      if let cancellation = script.session.steps[i].cancellation {
        arm(.cancel(i), now + cancellation.after)
      }
    }
    if script.session.steps[i].kind != .openStream || i == channelStep,
      !script.session.steps[i].isLongLived
    {
      alarms.removeAll { $0.what == .timeout(i) }
      arm(.timeout(i), now + policy.callTimeout)
    }
  }

  /// Stops the agent, gently or at once.
  public mutating func stop(_ how: AgentStop, _ now: Int64) -> [AgentAction] {
    guard !isFinished else { return take() }
    close(.omit(how == .duration ? .duration : nil), now)
    if how == .now {
      for i in states.indices where states[i].phase == .flying { over(i, .unanswered, now) }
      exchanges.removeAll()
      alarms.removeAll()
      left = 0
    }
    finishIfDone(now)
    return take()
  }

  mutating func take() -> [AgentAction] {
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

  /// All that a step waits for is over.
  mutating func release(_ i: Int) {
    let step = script.session.steps[i]
    var state = states[i]
    state.due = max(state.ready + timing.think[i], state.gate)
    if script.holdsIdeal { state.due = max(state.due, start + timing.ideal[i]) }
    if state.isPrologue { state.due = entered } else if start < 0 { state.due = max(0, state.due) }
    states[i] = state
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
    if state.isPoisoned { return omit(i, .afterError, at: state.ready) }
    if let missing = unresolved(i) {
      actions.append(.unresolved(missing))
      switch script.onUnresolved {
      case .recorded: break
      case .skipDependents: return omit(i, .unresolved, at: state.due + step.service)
      case .endSession:
        states[i].omission = .unresolved
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
    if script.session.steps[i].isCall, !states[i].isPrologue {
      actions.append(.omitted(step: i, reason))
      // What the filter or the run's end leaves out is no part of the planned chain.
      if script.skips[i] == nil, reason != .duration { isChainExact = false }
    }
    conclude(i, at: at, failed: reason == .afterError)
  }

  /// Leaves a step out because the agent is closing.
  private mutating func omit(_ i: Int, at: Int64) {
    guard case .omit(let reason) = closing else { return }
    omit(i, script.skips[i] ?? states[i].omission ?? reason, at: at)
  }

  /// Marks a step as over and releases what waited for it alone.
  mutating func conclude(_ i: Int, at: Int64, failed: Bool) {
    guard states[i].phase != .over else { return }
    let at = states[i].isPrologue ? came(i, at) : at
    states[i].phase = .over
    states[i].done = at
    states[i].exchange = nil
    left -= 1
    endTask(of: i, at)
    alarms.removeAll { $0.what.step == i }
    let turn = script.session.steps[i].turn
    for next in script.successors[i] {
      let step = script.session.steps[next]
      if step.after.contains(i) {
        states[next].ready = max(states[next].ready, at)
        if failed, step.turn == turn, step.kind == .request { states[next].isPoisoned = true }
      }
      if step.gates.contains(i) { states[next].gate = max(states[next].gate, at) }
      states[next].missing -= 1
      if states[next].missing == 0, states[next].phase == .waiting { release(next) }
    }
  }

  /// Nothing new is sent from here on but the DELETE.
  mutating func close(_ how: Closing, _ now: Int64) {
    guard closing == nil else { return }
    closing = how
    for i in states.indices where states[i].phase == .scheduled || states[i].phase == .waiting {
      guard script.session.steps[i].kind != .delete, !isOwed(i) else { continue }
      alarms.removeAll { $0.what == .due(i) }
      if states[i].phase != .over { omit(i, at: max(states[i].ready, states[i].gate)) }
    }
    // Repetitions and rounds that were to come will not.
    for alarm in alarms {
      if case .again(let i) = alarm.what, !isPolling(i) {
        over(i, states[i].failure ?? .unanswered, now)
      }
    }
  }

  /// A call was sent before an answer that it waits for: the chain is not the planned one.
  private mutating func checkOrder(_ i: Int, _ now: Int64) {
    let step = script.session.steps[i]
    guard step.isCall, !states[i].isPrologue else { return }
    for earlier in step.after where states[earlier].phase != .over || states[earlier].done > now {
      isChainExact = false
    }
  }

  mutating func finishIfDone(_ now: Int64) {
    guard !isFinished else { return }
    if closing != nil, left > 0, openTasks.isEmpty { closeSession() }
    // A client answers what it was asked even when it needs nothing more itself.
    guard left == 0, !alarms.contains(where: { $0.what.step == nil }) else { return }
    isFinished = true
    alarms.removeAll()
    for i in openTasks.sorted() { closeTask(i, .unanswered, at: now) }
    for exchange in exchanges {
      if case .step(let i) = exchange.purpose, states[i].phase == .over,
        script.session.steps[i].isLongLived
      {
        record(i, .cancelled, at: now)
      }
    }
    actions.append(.finished(AgentEnd(isChainExact: isChainExact, lostSession: lostSession)))
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

extension AgentMachine.Alarm {
  var step: Int? {
    switch self {
    case .due(let i), .timeout(let i), .cancel(let i), .again(let i), .resume(let i): i
    case .reply: nil
    }
  }
}
