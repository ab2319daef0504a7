import Basics
import Trace

/// Sessions that the server forgot, taken up anew (`--on-session-loss reinitialize`).
///
/// Theory: clients that recover say hello again, after a pause that doubles, and give up after some times in a row; with an answer in
/// the new session they count from the beginning. What is due meanwhile waits for the new session, and is due when that is there. What
/// was in flight belongs to the lost one: its 404 is an outcome and no second loss. Values of answers stay.
///
/// Stages: none → pausing → (opening →) greeting → confirming → none; any failure leads back to pausing, or to the agent's end.
extension AgentMachine {
  /// Most handshakes in a row without an answer to anything else between them.
  static let recoveryLimit = 3
  /// Pause before the first; it doubles.
  static let recoveryPause: Int64 = 1_000_000_000

  struct Recovery {
    enum Stage {
      case none
      case pausing
      /// The stream of an HTTP+SSE session was asked for.
      case opening
      /// `initialize` is on its way.
      case greeting
      /// `notifications/initialized` is on its way.
      case confirming
    }

    var stage = Stage.none
    /// Handshakes in a row.
    var tries = 0
    /// The handshake's exchange, the id of its `initialize`, and when that was sent.
    var exchange = 0
    var id: RawJSON?
    var sent: Int64 = 0
    /// Exchanges up to this one belong to sessions that are lost.
    var lastLost = 0
    /// True when answers came on the lost session's stream alone.
    var isOverChannel = false
    /// Steps whose time has come.
    var held: [Int] = []
  }

  /// True between a session and the next.
  var isRecovering: Bool { recovery.stage != .none }

  /// Takes that the agent's own server has ended.
  public mutating func serverEnded(_ now: Int64) -> [AgentAction] {
    if policy.onSessionLoss == .reinitialize, !isFinished { loseSession(now) }
    finishIfDone(now)
    return take()
  }

  /// The server does not know the session any more, as an exchange with it says.
  mutating func loseSession(_ at: Int64, by exchange: Int? = nil) {
    if isRecovering || exchange.map({ $0 <= recovery.lastLost }) == true { return }
    lostSession = true
    guard canRecover else { return close(.omit(.afterError), at) }
    recovery.lastLost = lastExchange
    recovery.isOverChannel = hasChannel
    identity.sessionID = nil
    identity.endpoint = nil
    recovery.stage = .pausing
    leaveStreams(at)
    // What that left out may have ended the agent by its policy.
    guard closing == nil else { return }
    pause(at)
  }

  private var canRecover: Bool {
    policy.onSessionLoss == .reinitialize && closing == nil && book.handshake != nil
      && recovery.tries < AgentMachine.recoveryLimit
      && states.indices.contains { i in
        guard states[i].phase != .over else { return false }
        return book.facts[i].kind == .request || book.facts[i].kind == .notification
      }
  }

  /// What the lost session's streams had still to say, and what was to be said on them, is lost.
  private mutating func leaveStreams(_ at: Int64) {
    for exchange in exchanges {
      let i: Int
      switch exchange.purpose {
      case .step(let step), .resume(let step), .recovery(let step): i = step
      case .serverAnswer, .cancelNotice: continue
      }
      guard book.facts[i].kind == .openStream else { continue }
      forget(exchange.number)
      actions.append(.abandon(exchange: exchange.number))
    }
    for alarm in alarms {
      switch alarm.what {
      case .resume(let i):
        disarm(alarm.what)
        if states[i].phase == .flying { over(i, .sessionLost, at) }
      case .reply(let k):
        disarm(alarm.what)
        replies[k] = nil
      case .due, .timeout, .cancel, .again, .recover, .recoveryTimeout, .farewell: break
      }
    }
  }

  private mutating func pause(_ at: Int64) {
    recovery.stage = .pausing
    arm(.recover, at + AgentMachine.recoveryPause << Int64(recovery.tries))
    recovery.tries += 1
  }

  /// Begins a handshake.
  mutating func recover(_ now: Int64) {
    guard recovery.stage == .pausing else { return }
    arm(.recoveryTimeout, now + policy.callTimeout)
    guard let i = book.channelStep, recovery.isOverChannel else { return greet(now) }
    recovery.stage = .opening
    recovery.exchange = send(
      .recovery(i), book.templates[i].bytes(identity, RequestFill()), id: nil, isInSession: false)
  }

  private mutating func greet(_ now: Int64) {
    guard let i = book.handshake?.initialize else { return }
    let id = mintID(isText: book.facts[i].isIDText)
    recovery.stage = .greeting
    recovery.id = id
    recovery.sent = now
    recovery.exchange = send(
      .recovery(i), book.templates[i].bytes(identity, RequestFill(id: id)), id: id,
      isInSession: false)
  }

  /// Takes the address for what the client says; true when it is that of the new session.
  mutating func recovered(_ exchange: Int, endpoint text: String, _ at: Int64) -> Bool {
    guard recovery.stage == .opening, recovery.exchange == exchange else { return false }
    if let endpoint = Endpoints.path(text, on: book.target.authority, from: book.path) {
      identity.endpoint = endpoint
      greet(at)
    } else {
      failRecovery(at)
    }
    return true
  }

  /// Takes a message; true when it answers the handshake.
  mutating func recovered(_ message: JSONRPCAnswer, _ at: Int64) -> Bool {
    guard recovery.stage == .greeting, let id = recovery.id, message.id == id else { return false }
    noteGreeting(message.isError ? .jsonrpcError : .ok, at, message.status)
    guard !message.isError else {
      failRecovery(at)
      return true
    }
    identity.revision =
      message.content?.member("protocolVersion")?.string ?? script.session.revision
    guard let i = book.handshake?.initialized else {
      finishRecovery(at)
      return true
    }
    recovery.stage = .confirming
    recovery.exchange = send(
      .recovery(i), book.templates[i].bytes(identity, RequestFill()), id: nil, isInSession: true)
    return true
  }

  /// What a message says that may answer the handshake.
  struct JSONRPCAnswer {
    var id: RawJSON?
    var isError: Bool
    var content: RawJSON?
    var status: Int?
  }

  /// Takes that an exchange of a handshake is over.
  mutating func recoveryEnded(_ i: Int, _ exchange: Exchange, isComplete: Bool, _ at: Int64) {
    let isPresent = exchange.number == recovery.exchange
    let isAccepted = isComplete && exchange.status.map { (200..<300).contains($0) } ?? book.isStdio
    if i == book.channelStep {
      return isRecovering ? failRecovery(at) : channelEnded(i, exchange, at)
    }
    switch recovery.stage {
    case .greeting where isPresent:
      // It was accepted; the answer is to come on the stream.
      if hasChannel, isAccepted { return }
      noteGreeting(exchange.status == nil ? .transportError : .httpError, at, exchange.status)
      if exchange.status == 401, identity.credential != nil {
        actions.append(.needsCredential(step: i, stale: exchange.credential))
      }
      failRecovery(at)
    case .confirming where isPresent: if isAccepted { finishRecovery(at) } else { failRecovery(at) }
    case .none, .pausing, .opening, .greeting, .confirming: break
    }
  }

  /// The handshake is no request of the script: the trace of the run has it, the figures don't.
  private mutating func noteGreeting(_ outcome: Outcome, _ at: Int64, _ status: Int?) {
    guard let i = book.handshake?.initialize else { return }
    actions.append(
      .settled(
        RequestRecord(
          step: i, due: recovery.sent, ideal: recovery.sent, sent: recovery.sent, first: nil,
          done: at, outcome: outcome, status: status, code: nil)))
  }

  /// A handshake came to nothing.
  mutating func failRecovery(_ at: Int64) {
    dropHandshake()
    guard recovery.tries < AgentMachine.recoveryLimit else {
      close(.omit(.afterError), at)
      return
    }
    identity.sessionID = nil
    identity.endpoint = nil
    pause(at)
  }

  private mutating func dropHandshake() {
    disarm(.recover)
    disarm(.recoveryTimeout)
    recovery.id = nil
    for exchange in exchanges {
      guard case .recovery = exchange.purpose else { continue }
      forget(exchange.number)
      actions.append(.abandon(exchange: exchange.number))
    }
  }

  /// The new session is there: its stream is asked for, and what waited for it is due.
  private mutating func finishRecovery(_ at: Int64) {
    disarm(.recoveryTimeout)
    recovery.stage = .none
    recovery.id = nil
    lostSession = false
    if let i = book.handshake?.stream, i != book.channelStep, states[i].attempts > 0 {
      extras[i].eventID = nil
      extras[i].resumes = 0
      resume(i)
    }
    let held = recovery.held
    recovery.held = []
    for i in held {
      if states[i].phase == .flying {
        transmitAgain(i)
      } else if states[i].phase == .scheduled {
        states[i].due = max(states[i].due, at)
        states[i].gate = max(states[i].gate, at)
        transmit(i)
      }
    }
  }

  /// The agent closes: there will be no new session.
  mutating func endRecovery(_ now: Int64) {
    guard isRecovering else { return }
    dropHandshake()
    recovery.stage = .none
    let held = recovery.held
    recovery.held = []
    for i in held {
      if states[i].phase == .scheduled {
        // What is still owed goes on without a session; `close` leaves out the rest.
        arm(.due(i), now)
      } else {
        over(i, extras[i].failure ?? .unanswered, now)
      }
    }
  }

  /// An answer in the present session: handshakes count from the beginning.
  mutating func answered(_ outcome: Outcome, by exchange: Int?) {
    guard recovery.tries > 0, let exchange, exchange > recovery.lastLost else { return }
    if outcome == .ok || outcome == .toolError || outcome == .jsonrpcError { recovery.tries = 0 }
  }
}
