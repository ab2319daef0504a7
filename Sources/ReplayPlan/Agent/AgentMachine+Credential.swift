import Basics
import Trace

/// Tokens that the server takes no longer.
///
/// Theory: a token ends while agents work, and clients then get another and say again what was refused. So a 401 is no answer yet: the
/// agent asks for a fresh token, waits, and repeats the request once; both are one call. What is refused again is refused.
extension AgentMachine {
  /// Where a step is with a token that was refused.
  enum Refusal: UInt8 {
    case none
    /// A fresh token is to come; then the request is sent again.
    case waiting
    /// A fresh token is to come; then its stream is taken up again.
    case waitingToResume
    /// It was sent again: the next 401 is its answer.
    case repeated
  }

  /// Takes what requests are authorised with from now on.
  public mutating func use(_ credential: Credential?) { identity.credential = credential }

  /// Takes that the credential is the freshest there is; a step that waits for that is sent again.
  public mutating func reauthorized(_ i: Int, _ now: Int64) -> [AgentAction] {
    let refusal = extras[i].refusal
    guard !isFinished, refusal == .waiting || refusal == .waitingToResume else { return take() }
    extras[i].refusal = .repeated
    if isRecovering {
      if states[i].phase == .flying { recovery.held.append(i) }
      return take()
    }
    if states[i].phase == .flying {
      if refusal == .waitingToResume {
        // The sending of a resumption arms no time-out of its own.
        arm(.timeout(i), now + policy.callTimeout)
        resume(i)
      } else {
        transmitAgain(i)
      }
    } else if closing == nil, refusal == .waitingToResume || book.facts[i].kind == .openStream {
      resume(i)
    } else if closing == nil {
      postAgain(i)
    }
    finishIfDone(now)
    return take()
  }

  /// True when a 401 to a step is not its end.
  func asksForToken(_ i: Int, _ status: Int?) -> Bool {
    status == 401 && identity.credential != nil && extras[i].refusal == .none && !isFinished
  }

  /// Asks for a fresh token after an exchange that was refused; false when it is over with that.
  mutating func refused(_ i: Int, _ exchange: Exchange, _ at: Int64) -> Bool {
    guard asksForToken(i, exchange.status) else { return false }
    let step = book.facts[i]
    let isFlying = states[i].phase == .flying
    guard isFlying ? states[i].exchange == exchange.number : closing == nil && !step.isTimed else {
      return false
    }
    let resumes = exchange.purpose == .resume(i)
    extras[i].refusal = resumes ? .waitingToResume : .waiting
    if isFlying {
      disarm(.timeout(i))
      states[i].exchange = nil
      if step.kind == .request, !resumes {
        actions.append(.settled(requestRecord(i, .httpError, at: at, exchange.status)))
        setID(of: i, nil)
      }
    }
    actions.append(.needsCredential(step: i, stale: exchange.credential))
    return true
  }

  /// What was accepted may be refused another time.
  mutating func accepted(_ i: Int) {
    guard identity.credential != nil, extras[i].refusal == .repeated else { return }
    extras[i].refusal = .none
  }
}
