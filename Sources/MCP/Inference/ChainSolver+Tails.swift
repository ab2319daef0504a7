/// Mending what was decided wrongly between equals.
extension ChainSolver {
  /// Links that an exchange of tails looks back.
  private static let lookBack = 128

  /// Exchanges the tails of the chain that a request is tied to and of one that fits it better otherwise, when both together
  /// cost less than `limit`; returns where the request then belongs.
  func exchangeTails(
    for evidence: ChainEvidence, _ tie: Tie?, _ limit: Double
  ) -> (chain: AgentChain, cost: Double)? {
    guard let tie else { return nil }
    let owner = tie.link.chain
    var best: (other: AgentChain, split: Split, cost: Double)?
    let first = evidence.id.flatMap { place(of: $0, in: owner, keeping: tie.link) }
    for other in chains where other !== owner {
      if let first, first < owner.links.count {
        let cost = tie.cost + giving(owner, from: first, to: other, for: evidence)
        if cost < min(limit - 0.01, best?.cost ?? .infinity) {
          best = (other, Split(ours: first, theirs: other.links.count, cost: 0), cost)
        }
      }
      let local = cost(of: evidence, in: other, nil) + tie.cost
      guard local < limit - 0.01, local < (best?.cost ?? .infinity) else { continue }
      guard let split = split(owner, other, keeping: tie.link) else { continue }
      let cost = local + split.cost
      if cost < min(limit - 0.01, best?.cost ?? .infinity) { best = (other, split, cost) }
    }
    guard let best else { return nil }
    let tail = best.other.exchange(from: best.split.theirs, with: [])
    let old = owner.exchange(from: best.split.ours, with: tail)
    _ = best.other.exchange(from: best.other.links.count, with: old)
    for (first, other) in [(tail.first, best.other), (old.first, owner)] {
      guard let first, !first.others.contains(where: { $0.chain === other }) else { continue }
      first.others.append((other, first.cost))
    }
    return (owner, best.cost - best.split.cost)
  }

  /// What it costs when the owner's links from a place on are another's, and the request follows what is before.
  private func giving(
    _ owner: AgentChain, from first: Int, to other: AgentChain, for evidence: ChainEvidence
  ) -> Double {
    let head = owner.state(before: first)
    let given = owner.links[first].evidence
    return costs.cost(of: evidence, in: head, owns: nil)
      + costs.cost(of: given, in: other.state, owns: nil)
      - costs.cost(of: given, in: head, owns: nil)
  }

  /// Where two chains part, by index in their links, and what an exchange of what is behind costs.
  private struct Split {
    var ours: Int
    var theirs: Int
    var cost: Double
  }

  /// The latest places where both chains go on with the same id and nothing ties what is behind to what is before; `anchor` stays.
  private func split(_ a: AgentChain, _ b: AgentChain, keeping anchor: Link) -> Split? {
    var best: Split?
    var j = b.links.count
    // The lowest place that something behind is tied to.
    var tiedB = Int.max
    let first = max(0, b.links.count - ChainSolver.lookBack)
    while j > first {
      j -= 1
      let link = b.links[j]
      if link.isFixed { break }
      if let anchor = link.anchor, anchor.chain === b { tiedB = min(tiedB, anchor.place) }
      guard link.place > 0, tiedB >= link.place, let id = link.evidence.id,
        let i = place(of: id, in: a, keeping: anchor)
      else { continue }
      let (headA, headB) = (a.state(before: i), b.state(before: j))
      func cost(_ link: Link, _ state: AgentChain.State) -> Double {
        costs.cost(of: link.evidence, in: state, owns: nil)
      }
      var change = cost(link, headA) - cost(link, headB)
      if i < a.links.count { change += cost(a.links[i], headB) - cost(a.links[i], headA) }
      if change < (best?.cost ?? .infinity) { best = Split(ours: i, theirs: j, cost: change) }
    }
    return best
  }

  /// The index in a chain's links from which on all ids are at least `id`, and nothing is tied to what is before.
  private func place(of id: Int64, in chain: AgentChain, keeping anchor: Link) -> Int? {
    var i = chain.links.count
    var tied = Int.max
    while i > 0 {
      let link = chain.links[i - 1]
      if let own = link.evidence.id, own < id { break }
      if link.isFixed { break }
      if let anchor = link.anchor, anchor.chain === chain { tied = min(tied, anchor.place) }
      i -= 1
    }
    // Notifications in front of the tail stay.
    while i < chain.links.count, chain.links[i].evidence.id == nil { i += 1 }
    if i > 0, let before = chain.links[..<i].last(where: { $0.evidence.id != nil })?.evidence.id,
      before >= id
    {
      return nil
    }
    guard i > 0 else { return nil }
    let place = i < chain.links.count ? chain.links[i].place : chain.state.count
    guard tied >= place, anchor.place < place else { return nil }
    return i
  }
}
