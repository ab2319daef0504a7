public import Basics
public import NIOCore
public import Trace

/// How an agent behaves when things go wrong.
public struct AgentPolicy: Hashable, Sendable {
  /// What follows a call that failed where the recording had succeeded.
  public enum OnError: Hashable, Sendable {
    /// What waited for it within the turn is skipped; the next turn goes on.
    case endTurn
    /// Everything goes on.
    case carryOn
    /// The session ends.
    case endSession
    /// The call is repeated so many times, then as `endTurn`.
    case retry(Int)
  }

  /// What follows a session that the server has forgotten.
  public enum OnSessionLoss: String, CaseIterable, Hashable, Sendable {
    /// The agent ends.
    case endSession = "end-session"
    /// The agent says hello again and goes on.
    case reinitialize
  }

  /// What follows a failed call.
  public var onError = OnError.endTurn
  /// What follows a lost session.
  public var onSessionLoss = OnSessionLoss.endSession
  /// Time after which a request is given up, nanoseconds.
  public var callTimeout: Int64 = 60_000_000_000
  /// Whether a request that is given up leaves its connection to others, where clients with connections of their own wait on.
  public var freesConnections = false

  /// Creates the default.
  public init() {}
}

/// One HTTP request that an agent wants to be sent.
public struct Transmission: Sendable {
  /// What it is for.
  public enum Purpose: Hashable, Sendable {
    /// A step of the script: first try, another round, or a repetition.
    case step(Int)
    /// Takes up the stream of a step whose answer has not come.
    case resume(Int)
    /// Opens a new session after one that was lost, as the step did: no step of the script.
    case recovery(Int)
    /// Answers the server's request of that method.
    case serverAnswer(String)
    /// Tells the server that a step was given up.
    case cancelNotice(Int)
  }

  /// Number of the HTTP exchange, from 1 for each agent.
  public var exchange: Int
  /// What it is for.
  public var purpose: Purpose
  /// The request.
  public var bytes: ByteBuffer
  /// JSON-RPC id, where it has one.
  public var id: RawJSON?
  /// Length of the body, which ends the request.
  public var bodyLength: Int
}

/// What became of one request of the script.
public struct RequestRecord: Hashable, Sendable {
  /// Step of the script.
  public var step: Int
  /// When it was due, nanoseconds since the run's beginning.
  public var due: Int64
  /// When it would have been due had every answer taken as long as recorded.
  public var ideal: Int64
  /// When it was given to the kernel; of a new connection when dialling began.
  public var sent: Int64
  /// First byte of the answer.
  public var first: Int64?
  /// Last byte of the answer, or when it was given up.
  public var done: Int64
  /// How it ended.
  public var outcome: Outcome
  /// HTTP status of the answer.
  public var status: Int?
  /// JSON-RPC error code.
  public var code: Int64?
  /// True for what a client that came in later made up for; it is counted apart.
  public var isPrologue = false
  /// The think time it realised minus the planned one, where it waited for answers.
  public var thinkError: Int64?
}

/// What an agent wants done, in this order.
public enum AgentAction: Sendable {
  /// Send a request; answer with `sent`.
  case send(Transmission)
  /// Close the connection of an exchange; no `failed` follows.
  case abandon(exchange: Int)
  /// A request is over.
  case record(RequestRecord)
  /// One try or round of a request is over, and another follows.
  case settled(RequestRecord)
  /// One of several requests of that method for which a step stands is over: a poll, or a page; another follows.
  case repeated(RequestRecord, String)
  /// The task is over with which a call was answered: only now is the call's end known.
  case taskOver(RequestRecord)
  /// The server took the credential of that version no longer: get a fresh one, then answer with `reauthorized`.
  case needsCredential(step: Int, stale: Int)
  /// A value that a request needs is not there; what follows is the policy's.
  case unresolved(UnresolvedValue)
  /// A call will not be sent; without a reason the run was interrupted.
  case omitted(step: Int, SkipReason?)
  /// The revision that the target speaks has nothing like this step.
  case untold(step: Int)
  /// Nothing more comes; close all connections.
  case finished(AgentEnd)
}

/// A value that a request needs and that is not there.
public struct UnresolvedValue: Hashable, Sendable {
  /// Why it is not there.
  public enum Cause: CaseIterable, Hashable, Sendable {
    /// The answer that should have it came, and has no such value.
    case notInAnswer
    /// The request that should give it failed.
    case failed
    /// The request that should give it was not sent.
    case notSent
    /// The recording holds a surrogate, and says of no answer that it gives the value.
    case redacted
  }

  /// Step that needs it; for an answer to the server, the step on whose stream that asked.
  public var step: Int
  /// Its number in the script's `values`; `nil` when no answer gives it.
  public var value: Int?
  /// Why it is not there.
  public var cause: Cause
}

/// How an agent ended.
public struct AgentEnd: Hashable, Sendable {
  /// True when every planned call was sent, each after the answers it waits for.
  public var isChainExact: Bool
  /// True when the server forgot the session.
  public var lostSession: Bool
  /// True when its `initialize` failed.
  public var isStillborn: Bool

  /// Describes an ending.
  public init(isChainExact: Bool, lostSession: Bool, isStillborn: Bool = false) {
    self.isChainExact = isChainExact
    self.lostSession = lostSession
    self.isStillborn = isStillborn
  }
}

/// Why an agent is told to stop.
public enum AgentStop: Hashable, Sendable {
  /// The run's time is over: what is in flight may finish.
  case duration
  /// The user interrupted: what is in flight may finish.
  case drain
  /// At once.
  case now
}
