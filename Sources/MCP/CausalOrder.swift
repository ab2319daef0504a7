/// Which answers a request of a session waited for, and which turn it belongs to.
///
/// Theory: what an agent waited for cannot be seen, only inferred from the order. `after` is the set of answers that were there
/// when the request left, without those implied by another of them; an answer implies all that were there when its own
/// request left. Siblings are agent requests of one turn, sent before any answer of that turn came or within `siblingGap`
/// of the turn's first; they share its `after`. A turn grows when an agent request has an answer of the current turn in its
/// `after`; other requests never start one.
///
/// Messages are placed by their own time, not by when they are told: a request is complete later than it began, and a capture
/// with holes tells one direction late. So the latest answers and turns are kept, and a late request finds the turn of its time:
/// the one that had begun, or the next one when it is no sibling there (parallel requests may be complete in another order).
///
/// Such a request never adds to the turns that were told already: it is a sibling, without waiting for answers of its own turn.
///
/// Invariant: `turns` is in order of `began`; an answer that is kept no more is implied by one that is for every later request.
/// A request behind all answers, as nearly all are, needs the live ones alone.
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
    var knownUntil: Int64
  }

  private struct Turn {
    var place: Place
    /// When it began, when its latest request without siblings left, and when its latest request did.
    var began: Int64
    var start: Int64
    var latest: Int64
    /// When the first answer to one of its agent requests was there.
    var answered: Int64?
  }

  private let siblingGap: Int64
  /// Answers that no other implies, and later ones that some do.
  private var live: [Answer] = []
  private var implied: [Answer] = []
  /// The highest `knownUntil` and `done` of all answers.
  private var known = Int64.min
  private var latestDone = Int64.min
  private var turns: [Turn] = []

  /// Turns that late requests may still belong to.
  private static let turnsKept = 64
  /// Answers kept although implied by others, for late requests.
  private static let impliedKept = 128
  /// Answers that room is made for at once.
  private static let fewAnswers = 8
  /// Most answers that wait for a request to follow them (a client that only fires in parallel, for ever).
  private static let liveKept = 4096

  /// Creates the order of an empty session; `siblingGap` in nanoseconds.
  public init(siblingGap: Int64) { self.siblingGap = siblingGap }

  /// The current turn.
  public var turn: Int { turns.last?.place.turn ?? 0 }

  /// Places a request (or another message of the client) whose first byte left at `t`.
  ///
  /// `source` is an answer that it provably waited for (whose cursor it carries): no sibling of the request it answers.
  public mutating func place(at t: Int64, isAgent: Bool, source: Int? = nil) -> Place {
    let index = turns.lastIndex { $0.began <= t }
    let current = index.map { turns[$0] }
    var place = waits(t, turn: current?.place.turn ?? 0)
    guard isAgent else { return place }
    if let index, index != turns.indices.last || t < turns[index].latest {
      return placeLate(t, in: index)
    }
    if let current {
      let follows =
        source != nil
        && contains(until: .min) { $0.n == source && $0.turn == current.place.turn }
      if !follows, isSibling(t, of: current) {
        if let index { turns[index].latest = t }
        return current.place
      }
      let known = knownUntil(t)
      let grows = contains(until: t) {
        $0.turn == current.place.turn && $0.done <= t && $0.done > known
      }
      if grows { place.turn += 1 }
    } else {
      if let first = turns.first { return waits(t, turn: first.place.turn, isLate: true) }
      place.turn = 1
    }
    if index == turns.indices.last { begin(place, at: t) }
    return place
  }

  /// Notes the answer `n` to a request placed at `place`, complete at `done`.
  public mutating func answered(n: Int, done: Int64, place: Place, isAgent: Bool) {
    let answer = Answer(n: n, done: done, turn: place.turn, knownUntil: place.knownUntil)
    latestDone = max(latestDone, done)
    if place.knownUntil > known {
      known = place.knownUntil
      for answer in live where answer.done <= known { implied.append(answer) }
      live.removeAll { $0.done <= known }
    }
    if done > known { live.append(answer) } else { implied.append(answer) }
    if isAgent, let index = turns.lastIndex(where: { $0.place.turn == place.turn }) {
      turns[index].answered = min(turns[index].answered ?? done, done)
    }
    if implied.count > 2 * CausalOrder.impliedKept { implied.removeFirst(CausalOrder.impliedKept) }
    if live.count > CausalOrder.liveKept { live.removeFirst(CausalOrder.liveKept / 2) }
  }

  /// Forgets what only messages of before `t` would need: none is told any more. Most of a silent session's memory.
  public mutating func settle(before t: Int64) {
    let known = knownUntil(t)
    // New arrays, so that their memory is as small as what is left.
    live = live.filter { $0.done > known }
    implied = implied.filter { $0.done > known }
    if let current = turns.lastIndex(where: { $0.began <= t }) { turns = Array(turns[current...]) }
  }

  /// Forgets all but the latest: the session is over, and of it only what a hole held back may still be told.
  public mutating func shrink() {
    implied = Array(implied.suffix(CausalOrder.overKept))
    live = Array(live)
    turns = Array(turns.suffix(CausalOrder.overKept))
  }

  /// Turns and implied answers that are kept of a session that is over (a hole holds back few messages).
  private static let overKept = 16

  /// Places an agent's request of `t` that is told after later ones; `index` is the turn that had begun then.
  private mutating func placeLate(_ t: Int64, in index: Int) -> Place {
    var index = index
    if index != turns.indices.last, !isSibling(t, of: turns[index]), leads(index + 1, at: t) {
      index += 1
      if turns[index].start == turns[index].began { turns[index].start = t }
      turns[index].began = t
    }
    turns[index].latest = max(turns[index].latest, t)
    let place = turns[index].place
    return place.knownUntil <= t ? place : waits(t, turn: place.turn, isLate: true)
  }

  /// Whether a request of `t` can have begun a turn whose requests were told: they stay siblings of it, it waited for an
  /// answer of the turn before, and no request of that turn is later.
  private func leads(_ index: Int, at t: Int64) -> Bool {
    let (before, turn) = (turns[index - 1], turns[index])
    guard turn.latest - t <= siblingGap, before.latest <= t else { return false }
    let known = knownUntil(t)
    return contains(until: t) {
      $0.turn == before.place.turn && $0.done <= t && $0.done > known
    }
  }

  private mutating func begin(_ place: Place, at t: Int64) {
    if let last = turns.indices.last, turns[last].place.turn == place.turn {
      turns[last].place = place
      turns[last].start = t
      turns[last].latest = t
    } else {
      turns.append(Turn(place: place, began: t, start: t, latest: t, answered: nil))
    }
    if turns.count > 2 * CausalOrder.turnsKept { turns.removeFirst(CausalOrder.turnsKept) }
  }

  private func isSibling(_ t: Int64, of turn: Turn) -> Bool {
    guard let answered = turn.answered, answered <= t else { return true }
    return t - turn.start <= siblingGap
  }

  /// Up to here every answer is implied by one that was there at `t`.
  private func knownUntil(_ t: Int64) -> Int64 {
    if t >= latestDone { return known }
    var known = Int64.min
    for answer in implied where answer.done <= t { known = max(known, answer.knownUntil) }
    for answer in live where answer.done <= t { known = max(known, answer.knownUntil) }
    return known
  }

  /// Whether one of the answers that a request of `t` may have waited for is such.
  private func contains(until t: Int64, where isSuch: (Answer) -> Bool) -> Bool {
    live.contains(where: isSuch) || (t < latestDone && implied.contains(where: isSuch))
  }

  /// The answers that were there at `t`, without those that another of them implies.
  private func waits(_ t: Int64, turn: Int, isLate: Bool = false) -> Place {
    let known = knownUntil(t)
    func isWaitedFor(_ answer: Answer) -> Bool {
      answer.done <= t && answer.done > known && (!isLate || answer.turn != turn)
    }
    var after: [Int] = []
    var latest: Int64?
    if t < latestDone {
      for answer in implied where isWaitedFor(answer) {
        after.append(answer.n)
        latest = max(latest ?? answer.done, answer.done)
      }
    }
    for answer in live where isWaitedFor(answer) {
      if after.isEmpty { after.reserveCapacity(min(live.count, CausalOrder.fewAnswers)) }
      after.append(answer.n)
      latest = max(latest ?? answer.done, answer.done)
    }
    if after.count > 1 { after.sort() }
    return Place(turn: turn, after: after, latestDone: latest, knownUntil: t)
  }
}
