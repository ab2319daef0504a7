/// Tells agents apart that share everything a connection shows: which exchange is whose.
///
/// Theory: an agent is a chain of exchanges. Its JSON-RPC ids count up without gaps, it waits for its answers (or fires calls at once),
/// thinks about as long as it uses to, and gives back what it was given: request states, task ids, handles. A request joins the chain
/// where that costs least (`ChainCosts`). What comes later may show that an earlier decision between equals was wrong: then two
/// chains exchange their tails behind it. Links that nobody may move any more are `fix`ed.
///
/// One solver serves agents of one endpoint, client address, credential and kind of client. Memory: the chains' latest links.
public final class ChainSolver {
  private typealias Link = AgentChain.Link

  /// Who had a value first; `nil` once several chains have it.
  private struct Owner {
    var link: AgentChain.Link?
  }

  /// Chains that are considered at once; beyond them those silent for longest are forgotten.
  private static let chainLimit = 4096
  /// Values whose owners are known.
  private static let valueLimit = 1 << 16
  /// Links that an exchange of tails looks back.
  private static let lookBack = 128

  /// All chains that are not forgotten.
  public private(set) var chains: [AgentChain] = []
  private var links: [Int: Link] = [:]
  private var owners: [UInt64: Owner] = [:]
  private var conns: [Int: AgentChain?] = [:]
  private var costs = ChainCosts()
  private let number: () -> Int

  /// Creates a solver; `number` gives each new chain its number.
  public init(number: @escaping () -> Int) { self.number = number }

  /// Whether ever two chains were under way at once.
  public private(set) var isShared = false

  /// Assigns an exchange.
  public func add(_ evidence: ChainEvidence) {
    if case .beginning = evidence.kind { return begin(evidence) }
    let tie = tie(evidence)
    var options = chains.map { chain in
      (chain: chain, cost: cost(of: evidence, in: chain, tie))
    }
    if case .request(let id) = evidence.kind {
      let cost = (id ?? 2) <= 1 ? ChainCosts.beginsLow : ChainCosts.beginsHigh
      if options.allSatisfy({ $0.cost > cost }) { return begin(evidence, others: options) }
    }
    guard let best = options.indices.min(by: { options[$0].cost < options[$1].cost }) else {
      return begin(evidence)
    }
    var chosen = options.remove(at: best)
    if let better = exchangeTails(for: evidence, tie, chosen.cost) {
      options.append(chosen)
      options.removeAll { $0.chain === better.chain }
      chosen = better
    }
    join(evidence, chosen.chain, chosen.cost, options, tie)
  }

  /// Takes the answer to an exchange.
  public func answer(_ x: Int, _ answer: AnswerEvidence) {
    guard let link = links[x] else { return }
    if link.done == nil {
      link.done = answer.done
      link.chain.refresh()
    }
    for token in answer.tokens {
      // A server may give out the same cursor again: to many it is no evidence.
      note(token.hash, link)
    }
    for value in answer.values { note(value, link) }
  }

  /// The chain of an exchange; `nil` when it was never added, or dropped.
  public func chain(of x: Int) -> AgentChain? { links[x]?.chain }

  /// Whether an exchange's chain is as certain as it needs to be told.
  public func isFirm(_ x: Int) -> Bool {
    guard let link = links[x], !link.isFixed else { return true }
    if link.others.allSatisfy({ $0.cost - link.cost >= ChainCosts.firm }) { return true }
    if link.isProof, let anchor = link.anchor, anchor.chain === link.chain { return true }
    return link.chain.isCovered(link)
  }

  /// The exchange was told of: its chain stays what it is.
  public func fix(_ x: Int) {
    links[x]?.isFixed = true
  }

  /// Forgets an exchange that was no agent's: a refused one, or an `initialize` that got a session id.
  public func drop(_ x: Int) {
    guard let link = links.removeValue(forKey: x) else { return }
    link.chain.remove(link)
    if link.chain.links.isEmpty { remove(link.chain) }
  }

  /// Forgets a chain whose session is over.
  public func remove(_ chain: AgentChain) {
    chains.removeAll { $0 === chain }
    for link in chain.links {
      links[link.evidence.x] = nil
      link.others = []
      link.anchor = nil
    }
    chain.links = []
    owners = owners.filter { $0.value.link?.chain !== chain }
    conns = conns.filter { $0.value !== chain }
  }

  /// How sure it is that a chain is one agent's, 0 to 1.
  public func confidence(of chain: AgentChain) -> Double { chain.confidence }

  // MARK: Joining

  private func begin(
    _ evidence: ChainEvidence, others: [(chain: AgentChain, cost: Double)] = []
  ) {
    if chains.count >= ChainSolver.chainLimit,
      let silent = chains.min(by: { $0.state.lastSent < $1.state.lastSent })
    {
      remove(silent)
    }
    let chain = AgentChain(number: number())
    if chains.contains(where: { $0.state.lastSent > evidence.t - 60_000_000_000 }) {
      isShared = true
    }
    chains.append(chain)
    join(evidence, chain, 0, others.map { ($0.chain, $0.cost) }, nil)
  }

  private func join(
    _ evidence: ChainEvidence, _ chain: AgentChain, _ cost: Double,
    _ others: [(chain: AgentChain, cost: Double)], _ tie: Tie?
  ) {
    let link = Link(evidence, in: chain)
    link.cost = cost
    link.others = others.filter { $0.cost - cost < 2 * ChainCosts.firm }
    if let tie, tie.link.chain === chain {
      link.anchor = tie.link
      link.isProof = tie.isCertain
    }
    doubt(link, chain)
    ground(link, in: chain, tie, others.isEmpty)
    if chain.state.open == 0, let done = chain.state.lastDone, evidence.t > done,
      case .request = evidence.kind
    {
      costs.learn(gap: evidence.t - done)
    }
    chain.append(link)
    links[evidence.x] = link
    if let known = conns[evidence.conn] {
      if known !== chain { conns[evidence.conn] = .some(nil) }
    } else {
      conns[evidence.conn] = chain
    }
    for value in evidence.values { note(value, link) }
    for trait in evidence.traits { note(trait, link) }
    if let trace = evidence.trace { note(trace, link) }
  }

  /// Where another chain took the place that this one could have had, the two may be the wrong way round.
  private func doubt(_ link: Link, _ chain: AgentChain) {
    guard let id = link.evidence.id else { return }
    for other in chains where other !== chain {
      guard let taken = other.links.last, taken.evidence.id == id, !taken.isProof,
        let way = taken.others.first(where: { $0.chain === chain }),
        let known = link.others.firstIndex(where: { $0.chain === other }) ?? Optional(-1)
      else { continue }
      let cost = link.cost + way.cost - taken.cost
      if known < 0 {
        link.others.append((other, cost))
      } else {
        link.others[known].cost = min(link.others[known].cost, cost)
      }
    }
  }

  private func ground(_ link: Link, in chain: AgentChain, _ tie: Tie?, _ isAlone: Bool) {
    if let tie, tie.link.chain === chain, chain.state.count > 0 {
      chain.grounds.insert(tie.grounds)
    }
    guard chain.state.count > 0 else { return }
    if link.evidence.id != nil, link.evidence.id == chain.state.next {
      chain.grounds.insert(.idChain)
    }
    if case .some(.some(let owner)) = conns[link.evidence.conn], owner === chain {
      chain.grounds.insert(.connection)
    }
    if !isAlone, chain.grounds.isEmpty { chain.grounds.insert(.time) }
  }

  private func note(_ value: UInt64, _ link: Link) {
    if let owner = owners[value] {
      if let first = owner.link, first.chain !== link.chain { owners[value] = Owner(link: nil) }
      return
    }
    if owners.count >= ChainSolver.valueLimit { owners.removeAll(keepingCapacity: true) }
    owners[value] = Owner(link: link)
  }

  // MARK: Costs

  /// What a request has in common with one chain alone.
  private struct Tie {
    var link: AgentChain.Link
    var cost: Double
    var grounds: AgentChain.Grounds
    var isCertain: Bool
  }

  private func tie(_ evidence: ChainEvidence) -> Tie? {
    var tie: Tie?
    func look(
      _ value: UInt64, _ cost: (AgentChain.Link) -> Double, _ grounds: AgentChain.Grounds
    ) {
      guard let link = owners[value]?.link else { return }
      let cost = cost(link)
      let isCertain = cost <= ChainCosts.value
      if var known = tie {
        guard known.link.chain === link.chain else {
          if cost < known.cost {
            tie = Tie(link: link, cost: cost, grounds: grounds, isCertain: isCertain)
          }
          return
        }
        if link.place < known.link.place { known.link = link }
        known.cost = min(known.cost, cost) - 0.5
        known.isCertain = known.isCertain || isCertain
        known.grounds.insert(grounds)
        tie = known
      } else {
        tie = Tie(link: link, cost: cost, grounds: grounds, isCertain: isCertain)
      }
    }
    for token in evidence.tokens { look(token.hash, { _ in ChainCosts.token }, token.grounds) }
    if let trace = evidence.trace { look(trace, { _ in ChainCosts.trace }, .traceContext) }
    for value in evidence.values {
      // What an answer had first was made by the server for that agent; else the agent said it, as others may too.
      look(
        value, { $0.evidence.values.contains(value) ? ChainCosts.said : ChainCosts.value },
        .dataFlow)
    }
    for trait in evidence.traits { look(trait, { _ in ChainCosts.trait }, []) }
    return tie
  }

  private func cost(of evidence: ChainEvidence, in chain: AgentChain, _ tie: Tie?) -> Double {
    var owns: Bool?
    if let owner = conns[evidence.conn] {
      owns = owner.map { $0 === chain }
      if owner == nil, chain.state.conn == evidence.conn { owns = nil }
    }
    var cost = costs.cost(of: evidence, in: chain.state, owns: owns)
    if let tie, tie.link.chain === chain { cost += tie.cost }
    if case .notification(_, let cancels?) = evidence.kind {
      let isOpen = chain.links.contains { $0.evidence.id == cancels && $0.done == nil }
      cost += isOpen ? -2 : 6
    }
    return cost
  }

  // MARK: Exchanging tails

  /// Exchanges the tails of the chain that a request is tied to and of one that fits it better otherwise, when both together
  /// cost less than `limit`; returns where the request then belongs.
  private func exchangeTails(
    for evidence: ChainEvidence, _ tie: Tie?, _ limit: Double
  ) -> (chain: AgentChain, cost: Double)? {
    guard let tie else { return nil }
    let owner = tie.link.chain
    var best: (other: AgentChain, split: Split, cost: Double)?
    for other in chains where other !== owner {
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
