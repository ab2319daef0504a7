/// Which answers a request of a session waited for, and which turn it belongs to.
///
/// Theory: what an agent waited for cannot be seen, only inferred from the order. `after` is the set of answers that were there
/// when the request left, without those implied by another of them; an answer implies all that were there when its own
/// request left. Siblings are agent requests of one turn, sent before any answer of that turn came or within `siblingGap`
/// of the turn's first; they share its `after`. A turn grows when an agent request has an answer of the current turn in its
/// `after`; other requests never start one.
///
/// Invariant: no element of `frontier` was there when the request of another element left.
public struct CausalOrder: Sendable {
  /// What is known of a request when it leaves.
  public struct Place: Hashable, Sendable {
    /// The agent's turn, 0 before its first request.
    public var turn: Int
    /// The answers it waited for, by `n`.
    public var after: [Int]
    /// The latest `done` of them, `nil` without any.
    public var latestDone: Int64?
    /// Every answer up to here is implied by an answer to this request.
    public var knownUntil: Int64
  }

  private struct Answer {
    var n: Int
    var done: Int64
    var turn: Int
  }

  /// The current turn.
  public private(set) var turn = 0
  private let siblingGap: Int64
  private var frontier: [Answer] = []
  private var turnPlace: Place?
  private var turnStart: Int64 = 0
  private var turnAnswered: Int64?

  /// Creates the order of an empty session; `siblingGap` in nanoseconds.
  public init(siblingGap: Int64) { self.siblingGap = siblingGap }

  /// Places a request (or another message of the client) whose first byte left at `t`.
  ///
  /// `source` is an answer that it provably waited for (whose cursor it carries): no sibling of the request it answers.
  public mutating func place(at t: Int64, isAgent: Bool, source: Int? = nil) -> Place {
    guard isAgent else { return frontierPlace(t, turn: turn) }
    let follows = source.map { n in frontier.contains { $0.n == n && $0.turn == turn } } ?? false
    if let place = turnPlace, !follows, isSibling(t) { return place }
    let here = frontierPlace(t, turn: turn)
    let grows = turn == 0 || frontier.contains { $0.turn == turn && $0.done <= t }
    if grows { turn += 1 }
    let place = Place(
      turn: turn, after: here.after, latestDone: here.latestDone, knownUntil: here.knownUntil)
    turnPlace = place
    turnStart = t
    if grows { turnAnswered = nil }
    return place
  }

  /// Notes the answer `n` to a request placed at `place`, complete at `done`.
  public mutating func answered(n: Int, done: Int64, place: Place, isAgent: Bool) {
    frontier.removeAll { $0.done <= place.knownUntil }
    frontier.append(Answer(n: n, done: done, turn: place.turn))
    if isAgent, place.turn == turn { turnAnswered = min(turnAnswered ?? done, done) }
    if frontier.count > CausalOrder.frontierLimit { frontier.removeFirst() }
  }

  /// Most answers that wait for a request to follow them (a client that only fires in parallel, for ever).
  private static let frontierLimit = 4096

  private func isSibling(_ t: Int64) -> Bool {
    guard let turnAnswered, turnAnswered <= t else { return true }
    return t - turnStart <= siblingGap
  }

  private func frontierPlace(_ t: Int64, turn: Int) -> Place {
    var after: [Int] = []
    var latest: Int64?
    for answer in frontier where answer.done <= t {
      after.append(answer.n)
      latest = max(latest ?? answer.done, answer.done)
    }
    return Place(turn: turn, after: after.sorted(), latestDone: latest, knownUntil: t)
  }
}
