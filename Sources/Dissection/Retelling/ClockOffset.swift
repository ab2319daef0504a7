/// How far a recorder's clock is off, from what must have happened in order.
///
/// Theory: what an answer gave out at one recorder was complete before a request carried it at another; a session's ids come in
/// their order. Each such pair is a bound on the difference of two clocks, from below or from above by its direction. A
/// difference of 0 is kept when it contradicts nothing. Else the interval is taken that contradicts the fewest bounds (a value
/// may be there by chance), and its middle; where it has one end only, that end: the least that contradicts nothing.
public struct ClockOffset: Sendable, Hashable {
  /// What is added to the recorder's times, nanoseconds.
  public var offset: Int64 = 0
  /// The least that the evidence leaves, nanoseconds; `nil` where nothing bounds it.
  public var low: Int64?
  /// The most that the evidence leaves, nanoseconds; `nil` where nothing bounds it.
  public var high: Int64?
  /// Pairs that bound it.
  public var bounds = 0
  /// Pairs that contradict it.
  public var contradictions = 0

  /// Nothing is known of the clock.
  public init() {}

  /// The ids of parallel requests may be overtaken by so much.
  private static let disorder: Int64 = 50_000_000

  /// Estimates the offsets of recorders by their evidence: the first recorder's clock is taken as right, then the one that most ties
  /// to those that are known, and so on. One that nothing ties stays as it is.
  public static func estimate(_ evidence: [ClockEvidence]) -> [ClockOffset] {
    var offsets = evidence.map { _ in ClockOffset() }
    var known: Set<Int> = [0]
    while known.count < evidence.count {
      var best: (index: Int, bounds: Bounds)?
      for i in evidence.indices where !known.contains(i) {
        var bounds = Bounds()
        for j in known { bounds.add(evidence[i], against: evidence[j], offsets[j].offset) }
        if bounds.count > best?.bounds.count ?? -1 { best = (i, bounds) }
      }
      guard let best else { break }
      offsets[best.index] = best.bounds.solved
      known.insert(best.index)
    }
    return offsets
  }

  /// Bounds on one recorder's offset.
  private struct Bounds {
    private var lower: [Int64] = []
    private var upper: [Int64] = []

    var count: Int { lower.count + upper.count }

    /// Adds what two recorders' evidence says; `known` is the other's offset.
    mutating func add(_ own: ClockEvidence, against other: ClockEvidence, _ known: Int64) {
      let isOwnSmaller = own.values.count <= other.values.count
      for value in (isOwnSmaller ? own : other).values.keys {
        guard let a = own.values[value], let b = other.values[value] else { continue }
        // Given out by one alone: where a client said it first it is only repeated.
        let (ownMints, otherMints) = (a.answered < a.sent, b.answered < b.sent)
        if ownMints, !otherMints, b.sent < .max { upper.append(b.sent &+ known &- a.answered) }
        if otherMints, !ownMints, a.sent < .max { lower.append(b.answered &+ known &- a.sent) }
      }
      for (key, steps) in own.sessions {
        guard let others = other.sessions[key] else { continue }
        let all =
          steps.map { (id: $0.id, t: $0.t, isOwn: true) }
          + others.map { (id: $0.id, t: $0.t, isOwn: false) }
        let sorted = all.sorted { ($0.id, $0.t) < ($1.id, $1.t) }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.isOwn != b.isOwn && a.id < b.id {
          if a.isOwn {
            upper.append(b.t &+ known &- a.t &+ ClockOffset.disorder)
          } else {
            lower.append(a.t &+ known &- b.t &- ClockOffset.disorder)
          }
        }
      }
    }

    /// The offset that contradicts the fewest.
    var solved: ClockOffset {
      var result = ClockOffset()
      result.bounds = count
      let (lower, upper) = (lower.sorted(), upper.sorted())
      func contradicted(_ offset: Int64) -> Int {
        (lower.count - place(of: offset, in: lower, orEqual: true))
          + place(of: offset, in: upper, orEqual: false)
      }
      // The count changes at bounds alone: at each it is best, as all are inclusive.
      let candidates = lower + upper
      let fewest = candidates.map(contradicted).min() ?? 0
      result.contradictions = fewest
      let isZeroGood = contradicted(0) <= fewest
      let good = candidates.filter { contradicted($0) == fewest }
      let start = isZeroGood ? 0 : good.min { $0.magnitude < $1.magnitude } ?? 0
      // The ends of the interval around it.
      let below = place(of: start, in: lower, orEqual: true)
      result.low = below > 0 ? lower[below - 1] : nil
      let above = place(of: start, in: upper, orEqual: false)
      result.high = above < upper.count ? upper[above] : nil
      guard !isZeroGood else { return result }
      switch (result.low, result.high) {
      case (let low?, let high?): result.offset = low &+ (high &- low) / 2
      case (let low?, nil): result.offset = low
      case (nil, let high?): result.offset = high
      case (nil, nil): break
      }
      return result
    }

    /// How many elements of a sorted list are less than (or equal to) a value.
    private func place(of value: Int64, in list: [Int64], orEqual: Bool) -> Int {
      var (from, to) = (0, list.count)
      while from < to {
        let middle = (from + to) / 2
        if list[middle] < value || orEqual && list[middle] == value {
          from = middle + 1
        } else {
          to = middle
        }
      }
      return from
    }
  }
}
