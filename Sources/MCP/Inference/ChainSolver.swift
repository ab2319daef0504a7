/// Tells agents apart that share everything a connection shows: which exchange is whose.
///
/// Theory: an agent is a chain of exchanges. Its JSON-RPC ids count up without gaps, it waits for its answers (or fires calls at once),
/// thinks about as long as it uses to, and gives back what it was given: request states, task ids, handles. A request joins the chain
/// where that costs least (`ChainCosts`). What comes later may show that an earlier decision between equals was wrong: then two
/// chains exchange their tails behind it. Links that nobody may move any more are `fix`ed.
///
/// One solver serves agents of one endpoint, client address, credential and kind of client. Memory: the chains' latest links.
public final class ChainSolver {
  typealias Link = AgentChain.Link

  /// Who had a value first; `nil` once several chains have it.
  private struct Owner {
    var link: AgentChain.Link?
    /// True when the agent said it, false when the server gave it out.
    var isSaid: Bool
  }

  /// Whom a connection carried: `nil` once there were several.
  private struct Carrier {
    var chain: AgentChain?
    var count = 1
  }

  /// Chains that are considered at once; beyond them those silent for longest are forgotten.
  private static let chainLimit = 4096
  /// How long an agent that says nothing may still be there, nanoseconds.
  private static let company: Int64 = 600_000_000_000
  /// Values whose owners are known.
  private static let valueLimit = 1 << 16
  /// Connections whose agents are known.
  private static let connLimit = 1 << 14

  /// All chains that are not forgotten.
  public private(set) var chains: [AgentChain] = []
  private var links: [Int: Link] = [:]
  private var owners: [UInt64: Owner] = [:]
  private var conns: [Int: Carrier] = [:]
  /// True once a connection carried two agents: they share a pool.
  private var isPooled = false
  private(set) var costs = ChainCosts()
  private let number: () -> Int

  private let isOneAgent: Bool

  /// Creates a solver; `number` gives each new chain its number. All is one chain where it is said to be one agent's.
  public init(isOneAgent: Bool = false, number: @escaping () -> Int) {
    self.isOneAgent = isOneAgent
    self.number = number
  }

  deinit {
    // Links and chains hold each other.
    for chain in chains { chain.forget() }
  }

  /// Assigns an exchange.
  public func add(_ evidence: ChainEvidence) {
    if isOneAgent, let chain = chains.first { return join(evidence, chain, 0, [], nil) }
    if case .beginning = evidence.kind { return begin(evidence) }
    let tie = tie(evidence)
    var options = chains.map { chain in
      (chain: chain, cost: cost(of: evidence, in: chain, tie))
    }
    if case .request(let id) = evidence.kind {
      queue(&options, id)
      let isExpected = chains.contains { chain in
        chain.state.next == id || id.map(chain.state.missing.contains) == true
      }
      let cost = (id ?? 2) <= 1 && !isExpected ? ChainCosts.beginsLow : ChainCosts.beginsHigh
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
    for token in answer.given.tokens {
      // A server may give out the same cursor again: to many it is no evidence.
      note(token.hash, link, isSaid: false)
    }
    for value in answer.given.values { note(value, link, isSaid: false) }
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
    for link in chain.links { links[link.evidence.x] = nil }
    chain.forget()
    owners = owners.filter { $0.value.link?.chain !== chain }
    conns = conns.filter { $0.value.chain !== chain }
  }

  /// How sure it is that a chain is one agent's, 0 to 1.
  public func confidence(of chain: AgentChain) -> Double { chain.confidence }

  /// Lets those that wait for an id stand in the order in which they began to wait.
  private func queue(_ options: inout [(chain: AgentChain, cost: Double)], _ id: Int64?) {
    let waiting = options.indices.filter {
      let state = options[$0].chain.state
      return state.open == 0 && state.next == id
    }
    guard waiting.count > 1 else { return }
    let order = waiting.sorted {
      options[$0].chain.state.lastDone ?? 0 < options[$1].chain.state.lastDone ?? 0
    }
    for (rank, i) in order.enumerated() {
      options[i].cost += ChainCosts.overtaking * Double(min(rank, ChainCosts.overtakingMost))
    }
  }

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
    chains.append(chain)
    join(evidence, chain, 0, others.map { ($0.chain, $0.cost) }, nil)
  }

  private func join(
    _ evidence: ChainEvidence, _ chain: AgentChain, _ cost: Double,
    _ others: [(chain: AgentChain, cost: Double)], _ tie: Tie?
  ) {
    let link = Link(evidence, in: chain)
    link.cost = cost
    link.consider(others.filter { $0.cost - cost < 2 * ChainCosts.firm })
    if let tie, tie.link.chain === chain {
      link.anchor = tie.link
      link.isProof = tie.isCertain
    }
    link.isInCompany =
      owns(evidence.conn, chain) != true
      && chains.contains { other in
        other !== chain && other.state.lastSent > evidence.t - ChainSolver.company
      }
    doubt(link, chain)
    ground(link, in: chain, tie, others.isEmpty)
    if case .request = evidence.kind, chain.state.count > 0 {
      if chain.state.open == 0, let done = chain.state.lastDone, evidence.t > done {
        costs.learn(gap: evidence.t - done)
      }
      if link.isProof || link.others.allSatisfy({ $0.cost - cost >= ChainCosts.firm }) {
        costs.learn(isParallel: chain.state.open > 0)
      }
    }
    for old in chain.append(link) { links[old.evidence.x] = nil }
    links[evidence.x] = link
    if conns.count >= ChainSolver.connLimit { conns.removeAll(keepingCapacity: true) }
    if var carrier = conns[evidence.conn] {
      if let known = carrier.chain, known !== chain {
        carrier.chain = nil
        isPooled = true
      }
      carrier.count += 1
      conns[evidence.conn] = carrier
    } else {
      conns[evidence.conn] = Carrier(chain: chain)
    }
    for value in evidence.said.values { note(value, link, isSaid: true) }
    for trait in evidence.said.traits { note(trait, link, isSaid: true) }
    if let trace = evidence.trace { note(trace, link, isSaid: true) }
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
    if owns(link.evidence.conn, chain) == true { chain.grounds.insert(.connection) }
    if !isAlone, chain.grounds.isEmpty { chain.grounds.insert(.time) }
  }

  private func note(_ value: UInt64, _ link: Link, isSaid: Bool) {
    if let owner = owners[value] {
      if let first = owner.link, first.chain !== link.chain {
        owners[value] = Owner(link: nil, isSaid: isSaid)
      }
      return
    }
    if owners.count >= ChainSolver.valueLimit { owners.removeAll(keepingCapacity: true) }
    owners[value] = Owner(link: link, isSaid: isSaid)
  }

  // MARK: Costs

  /// What a request has in common with one chain alone.
  struct Tie {
    var link: AgentChain.Link
    var cost: Double
    var grounds: AgentChain.Grounds
    var isCertain: Bool
  }

  private func tie(_ evidence: ChainEvidence) -> Tie? {
    var tie: Tie?
    func look(
      _ value: UInt64, _ cost: (Owner) -> Double, _ grounds: AgentChain.Grounds
    ) {
      guard let owner = owners[value], let link = owner.link else { return }
      let cost = cost(owner)
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
    for token in evidence.said.tokens { look(token.hash, { _ in ChainCosts.token }, token.grounds) }
    if let trace = evidence.trace { look(trace, { _ in ChainCosts.trace }, .traceContext) }
    for value in evidence.said.values {
      // What an answer had first was made by the server for that agent; else the agent said it, as others may too.
      look(value, { $0.isSaid ? ChainCosts.said : ChainCosts.value }, .dataFlow)
    }
    for trait in evidence.said.traits { look(trait, { _ in ChainCosts.trait }, []) }
    return tie
  }

  /// Whether a connection is a chain's own; `nil` where that can't be said.
  private func owns(_ conn: Int, _ chain: AgentChain) -> Bool? {
    guard !isPooled, let carrier = conns[conn], let owner = carrier.chain, carrier.count >= 2 else {
      return nil
    }
    return owner === chain
  }

  func cost(of evidence: ChainEvidence, in chain: AgentChain, _ tie: Tie?) -> Double {
    let owns = owns(evidence.conn, chain)
    var cost = costs.cost(of: evidence, in: chain.state, owns: owns)
    if let tie, tie.link.chain === chain { cost += tie.cost }
    if case .notification(_, let cancels?) = evidence.kind {
      let isOpen = chain.links.contains { $0.evidence.id == cancels && $0.done == nil }
      cost += isOpen ? -2 : 6
    }
    return cost
  }
}
