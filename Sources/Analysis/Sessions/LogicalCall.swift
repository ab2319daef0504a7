public import Trace

/// One agent-made `tools/call` with everything that belongs to it.
///
/// Theory: a call may take several requests. Its first may be refused with 401 and repeated (`retry_of`), its
/// answer may ask for input and be resumed (`continues`), or be a task that is polled (`poll_of`). All of these
/// are rounds of the call; how it ended is how the last round ended. `tasks/get` and the like only look at the
/// task, so of the polls only the last answer counts.
public struct LogicalCall: Sendable {
  /// A request of the call and how it ended.
  public struct Round: Sendable {
    /// The request.
    public var request: RequestLine
    /// How it ended; `nil` when the trace does not say.
    public var answer: ResponseLine?
  }

  /// The first request.
  public let request: RequestLine
  /// The first request and those after it, in order of time; never empty.
  public let rounds: [Round]

  /// The tool; `?` where the trace does not name it.
  public var tool: String { request.tool ?? "?" }

  /// The agent's turn.
  public var turn: Int { request.turn ?? 0 }

  /// First byte of the first request.
  public var start: Int64 { request.t }

  /// How the call ended.
  public var outcome: Outcome { rounds.last?.answer?.outcome ?? .unanswered }

  /// Last byte of the last answer; `nil` when there is none.
  public var done: Int64? { rounds.last?.answer.map { $0.done ?? $0.t } }

  /// Nanoseconds from the last byte of a request to the last byte of its answer, summed over the rounds;
  /// `nil` unless the server answered every one.
  public var service: Int64? {
    var sum: Int64 = 0
    for round in rounds {
      guard let answer = round.answer, answer.outcome.isAnswer else { return nil }
      sum &+= max(0, (answer.done ?? answer.t) &- (round.request.sent ?? round.request.t))
    }
    return sum
  }

  /// Returns the calls among `messages` (arranged), in order of (`turn`, start).
  static func calls(of messages: SessionMessages) -> [LogicalCall] {
    var followers: [Int: [RequestLine]] = [:]
    for request in messages.requests {
      guard let n = request.continues ?? request.retryOf ?? request.pollOf, n != request.n
      else { continue }
      followers[n, default: []].append(request)
    }
    func round(_ request: RequestLine) -> Round {
      Round(request: request, answer: messages.answer(to: request.n))
    }
    let calls = messages.requests.filter(\.isLogicalCall).map { request in
      var later: [RequestLine] = []
      var seen: Set<Int> = [request.n]
      var open = [request.n]
      while let n = open.popLast() {
        for follower in followers[n] ?? [] where seen.insert(follower.n).inserted {
          later.append(follower)
          open.append(follower.n)
        }
      }
      later.sort { ($0.t, $0.n) < ($1.t, $1.n) }
      return LogicalCall(request: request, rounds: ([request] + later).map(round))
    }
    return calls.sorted {
      ($0.turn, $0.start, $0.request.n) < ($1.turn, $1.start, $1.request.n)
    }
  }
}

extension Outcome {
  /// True where a complete answer came from the server, good or bad.
  public var isAnswer: Bool {
    switch self {
    case .ok, .toolError, .jsonrpcError, .httpError, .sessionLost: true
    case .transportError, .timeout, .cancelled, .unanswered: false
    }
  }
}
