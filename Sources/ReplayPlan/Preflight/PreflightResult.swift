import Basics
public import Trace

/// How a preflight's calls came out.
public struct PreflightResult: Sendable {
  /// What became of a call.
  public enum End: Hashable, Sendable {
    /// It was sent.
    case sent(Answer)
    /// It was not; without a reason the preflight was interrupted.
    case unsent(SkipReason?)
  }

  /// How a call that was sent ended.
  public struct Answer: Hashable, Sendable {
    /// How it ended.
    public var outcome: Outcome
    /// HTTP status.
    public var status: Int?
    /// JSON-RPC error code.
    public var code: Int64?
    /// What it says, without what looks like a secret.
    public var message: String?

    /// Describes an end.
    public init(outcome: Outcome, status: Int?, code: Int64?, message: String?) {
      self.outcome = outcome
      self.status = status
      self.code = code
      self.message = message
    }

    /// True when the target had nothing to say to it: that is not its data.
    public var isMissing: Bool {
      switch outcome {
      case .transportError, .timeout, .sessionLost, .unanswered, .cancelled: true
      default: false
      }
    }
  }

  /// A call that was sent.
  public struct Sent: Hashable, Sendable {
    /// The call.
    public var call: Preflight.Call
    /// How it ended here.
    public var now: Answer
  }

  /// A call that was to be sent and was not.
  public struct Unsent: Hashable, Sendable {
    /// The call.
    public var call: Preflight.Call
    /// `unresolved`: an answer before gave no value for it; `afterError`: its session could not be opened, or was lost.
    public var reason: SkipReason?
  }

  /// Those that were sent, by tool and arguments.
  public private(set) var sent: [Sent] = []
  /// Those that were to be sent and were not.
  public private(set) var unsent: [Unsent] = []
  /// Those that take values of calls which are not sent.
  public let blocked: [Preflight.Call]
  /// Distinct calls that may write and were left out for that, by tool.
  public let writes: [String: Int]
  /// True when the user stopped it.
  public let isInterrupted: Bool

  /// Sets what became of calls against what was to be; calls that nothing is said of were not sent.
  public init(
    _ preflight: Preflight, _ ends: [Preflight.Place: End], isInterrupted: Bool = false
  ) {
    func isBefore(_ one: Preflight.Call, _ other: Preflight.Call) -> Bool {
      (one.tool, one.arguments?.text ?? "") < (other.tool, other.arguments?.text ?? "")
    }
    for (place, call) in preflight.calls.sorted(by: { isBefore($0.value, $1.value) }) {
      switch ends[place] ?? .unsent(nil) {
      case .sent(let answer): sent.append(Sent(call: call, now: answer))
      case .unsent(let reason): unsent.append(Unsent(call: call, reason: reason))
      }
    }
    blocked = preflight.blocked.sorted(by: isBefore)
    writes = preflight.writes
    self.isInterrupted = isInterrupted
  }

  /// Those that were ok in the recording and got another answer here.
  public var failures: [Sent] {
    sent.filter { $0.call.then == .ok && $0.now.outcome != .ok && !$0.now.isMissing }
  }

  /// Those that got no answer.
  public var unanswered: [Sent] { sent.filter(\.now.isMissing) }

  /// True when the target said something to each call, or gave no value for it.
  public var isComplete: Bool {
    unanswered.isEmpty && unsent.allSatisfy { $0.reason == .unresolved }
  }

  /// True when all that were ok are ok.
  public var isPassed: Bool {
    isComplete && failures.isEmpty && !unsent.contains { $0.call.then == .ok }
  }

  /// How many were ok or not, then and now.
  public func count(then wasOK: Bool, now isOK: Bool) -> Int {
    sent.count { ($0.call.then == .ok) == wasOK && ($0.now.outcome == .ok) == isOK }
  }
}
