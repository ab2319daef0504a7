import Basics
import Trace

/// A recorded session beside one copy of it in a replay: which request is which.
///
/// Theory: nothing in a replayed request says which recorded one it repeats, and nothing of that is taken on trust. Requests are the
/// same when they have the method, the tool and the agent's turn in common; of several, those with the same arguments, then those in
/// the same order. Rounds and repetitions belong to their call and are not paired. A copy that began in mid-life lacks what came
/// before, and is not blamed for it.
struct SessionPairing {
  /// A request in both.
  struct Pair {
    var recorded: RequestLine
    var replayed: RequestLine
  }

  /// Requests that are in both, by `n` of the recorded one.
  private(set) var pairs: [Int: Pair] = [:]
  /// Calls that only one of them has.
  private(set) var missing: [RequestLine] = []
  private(set) var extra: [RequestLine] = []
  let recorded: RecordedSession
  let replayed: RecordedSession
  /// Of each session, the request that an answer is to, by the answer's `n`.
  private let asked: [Int: Int]
  /// When calls of the replay were over, by `n`.
  private let done: [Int: Int64]

  private struct Kind: Hashable {
    var method: String
    var tool: String?
    var turn: Int?
  }

  init(_ recorded: RecordedSession, _ replayed: RecordedSession, isUnderWay: Bool) {
    self.recorded = recorded
    self.replayed = replayed
    asked = Dictionary(
      recorded.messages.responses.map { ($0.n, $0.re) }, uniquingKeysWith: { a, _ in a })
    done = Dictionary(
      replayed.calls.map { ($0.request.n, $0.done ?? .max) }, uniquingKeysWith: { a, _ in a })
    // Turns of a copy that lacks its beginning have other numbers.
    let hasTurns = !isUnderWay
    var open = Dictionary(grouping: SessionPairing.requests(replayed)) {
      SessionPairing.kind($0, hasTurns: hasTurns)
    }
    for (kind, left) in Dictionary(
      grouping: SessionPairing.requests(recorded),
      by: { SessionPairing.kind($0, hasTurns: hasTurns) })
    {
      pair(left, &open[kind, default: []], isUnderWay: isUnderWay)
    }
    extra = open.values.flatMap { $0 }.filter(\.isLogicalCall)
    if isUnderWay, let first = pairs.values.map(\.recorded.t).min() {
      missing.removeAll { $0.t < first }
    }
  }

  private mutating func pair(
    _ recorded: [RequestLine], _ open: inout [RequestLine], isUnderWay: Bool
  ) {
    var left: [RequestLine] = []
    for request in recorded {
      let same = open.firstIndex {
        SessionPairing.arguments($0) == SessionPairing.arguments(request)
      }
      if let same, open.count > 1 {
        pairs[request.n] = Pair(recorded: request, replayed: open.remove(at: same))
      } else {
        left.append(request)
      }
    }
    // Those that came last are there, where some are not.
    if isUnderWay, left.count > open.count {
      missing += left.prefix(left.count - open.count).filter(\.isLogicalCall)
      left = Array(left.suffix(open.count))
    }
    for (request, other) in zip(left, open) {
      pairs[request.n] = Pair(recorded: request, replayed: other)
    }
    let count = min(left.count, open.count)
    missing += left.dropFirst(count).filter(\.isLogicalCall)
    open.removeFirst(count)
  }

  private static func requests(_ session: RecordedSession) -> [RequestLine] {
    session.messages.requests.filter {
      $0.dir == .c2s && $0.continues == nil && $0.retryOf == nil && $0.pollOf == nil
    }
  }

  private static func kind(_ request: RequestLine, hasTurns: Bool) -> Kind {
    Kind(
      method: request.method, tool: request.tool,
      turn: hasTurns && request.isLogicalCall ? request.turn : nil)
  }

  static func arguments(_ request: RequestLine) -> JSONValue? {
    request.params?.member("arguments")?.value
  }

  /// The recorded requests whose answers a recorded request waited for.
  func predecessors(of request: RequestLine) -> [Int] {
    (request.after ?? []).compactMap { asked[$0] }
  }

  /// When the replay had the answer to a recorded request's counterpart; `nil` when it was not sent, `.max` when it never came.
  func answered(_ n: Int) -> Int64? {
    guard let pair = pairs[n] else { return nil }
    if let done = done[pair.replayed.n] { return done }
    return replayed.messages.answer(to: pair.replayed.n).map { $0.done ?? $0.t } ?? .max
  }
}
