/// The exchanges that one agent is thought to have made, in order.
public final class AgentChain {
  /// An exchange of a chain.
  final class Link {
    /// What it told; without values once they were noted.
    private(set) var evidence: ChainEvidence
    var chain: AgentChain
    /// Its answer's last byte.
    var done: Int64?
    /// What it costs here, and what it would have cost elsewhere (other chains as they were then).
    var cost = 0.0
    var others: [(chain: AgentChain, cost: Double)] = []
    /// The earliest exchange that it has something in common with, as no other chain has; and whether that proves them one agent's.
    var anchor: Link?
    var isProof = false
    /// True when other agents were about and the connection was not its own: nothing but likelihood put it here.
    var isInCompany = false
    /// Its number in its chain, counted from the chain's first.
    var place = 0
    /// True once it can't be moved any more.
    var isFixed = false

    init(_ evidence: ChainEvidence, in chain: AgentChain) {
      self.evidence = evidence
      self.evidence.forgetValues()
      self.chain = chain
    }

    /// Lets go what only links that may be moved need: else each would hold the one before, back to the first.
    func forget() {
      others = []
      anchor = nil
    }

    /// Notes where else it was thinkable: the likeliest places.
    func consider(_ options: [(chain: AgentChain, cost: Double)]) {
      others = Array(options.sorted { $0.cost < $1.cost }.prefix(Link.othersLimit))
    }

    /// More of them make no link more doubtful than it is.
    static let othersLimit = 8
  }

  /// What an assignment rested on.
  public struct Grounds: OptionSet, Hashable, Sendable {
    /// A bit for each ground.
    public let rawValue: Int
    /// Creates grounds.
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// A request state passed back.
    public static let requestState = Grounds(rawValue: 1)
    /// A task id passed back.
    public static let task = Grounds(rawValue: 64)
    /// A trace id.
    public static let traceContext = Grounds(rawValue: 2)
    /// The next id of a gap-free chain.
    public static let idChain = Grounds(rawValue: 4)
    /// A value that the server made, passed back.
    public static let dataFlow = Grounds(rawValue: 8)
    /// The connection it came on.
    public static let connection = Grounds(rawValue: 16)
    /// Nothing but the time.
    public static let time = Grounds(rawValue: 32)
  }

  /// Number among all chains of the solver.
  public let number: Int
  /// What its assignments rested on.
  public internal(set) var grounds: Grounds = []

  /// The latest exchanges; older ones are fixed and only counted in `base`.
  var links: [Link] = []
  private var base = State()
  private(set) var state = State()
  private var settled = Settled()

  /// What is known of an agent at its latest exchange.
  struct State {
    /// The id that is expected next; `nil` before the first.
    var next: Int64?
    /// Lower ids that have not come.
    var missing: [Int64] = []
    /// Requests without an answer.
    var open = 0
    var count = 0
    var lastSent = Int64.min
    var lastDone: Int64?
    var conn: Int?
    var hasStream = false
    var isInitialized = false
  }

  /// Ids that are waited for (parallel requests arrive in any order), and links that may still be moved.
  private static let missingLimit = 32
  private static let linkLimit = 256

  init(number: Int) { self.number = number }

  /// Appends a link; returns those that are forgotten for it.
  @discardableResult
  func append(_ link: Link) -> [Link] {
    link.chain = self
    link.place = state.count
    links.append(link)
    AgentChain.add(link, to: &state)
    return links.count > AgentChain.linkLimit ? shorten() : []
  }

  /// Takes over other links from a place on; returns those that it had there.
  func exchange(from index: Int, with tail: [Link]) -> [Link] {
    let old = Array(links[index...])
    links.removeSubrange(index...)
    refresh()
    for link in tail { append(link) }
    return old
  }

  /// What was known before the link at `index`.
  func state(before index: Int) -> State {
    if index == links.count { return state }
    var state = base
    for link in links[..<index] { AgentChain.add(link, to: &state) }
    return state
  }

  func remove(_ link: Link) {
    links.removeAll { $0 === link }
    refresh()
  }

  /// Takes in what changed in its links.
  func refresh() {
    state = base
    for link in links {
      link.place = state.count
      AgentChain.add(link, to: &state)
    }
  }

  /// Probability that all its calls are one agent's, as far as costs tell.
  ///
  /// A link that a later one is tied across, to before it, is certain: both sides are the same agent's. What lies before the first
  /// call and behind the last (whose handshake it was) changes no call's agent.
  var confidence: Double {
    settled.confidence * AgentChain.confidence(of: links[...], settled).confidence
  }

  /// What older links leave behind of the confidence.
  struct Settled {
    var confidence = 1.0
    /// Of the links since the latest call.
    var pending = 1.0
    var hasCall = false
  }

  private static func confidence(of links: ArraySlice<Link>, _ before: Settled) -> Settled {
    // The lowest place that each link or a later one is tied to.
    var tied: [Int] = []
    var lowest = Int.max
    for link in links.reversed() {
      if link.isProof, let anchor = link.anchor, anchor.chain === link.chain {
        lowest = min(lowest, anchor.place)
      }
      tied.append(lowest)
    }
    var result = Settled(confidence: 1, pending: before.pending, hasCall: before.hasCall)
    for (link, tied) in zip(links, tied.reversed()) {
      if tied >= link.place { result.pending *= link.certainty }
      guard link.evidence.isCall else { continue }
      if result.hasCall { result.confidence *= result.pending }
      result.hasCall = true
      result.pending = 1
    }
    return result
  }

  /// Whether a later link is tied to one before `link`.
  func isCovered(_ link: Link) -> Bool {
    links.contains { later in
      guard later.isProof, later.place >= link.place, let anchor = later.anchor else {
        return false
      }
      return anchor.chain === self && anchor.place < link.place
    }
  }

  /// Lets all links go.
  func forget() {
    for link in links { link.forget() }
    links = []
  }

  private func shorten() -> [Link] {
    let old = links.prefix(AgentChain.linkLimit / 2)
    let result = AgentChain.confidence(of: old, settled)
    settled = Settled(
      confidence: settled.confidence * result.confidence, pending: result.pending,
      hasCall: result.hasCall)
    for link in old {
      link.isFixed = true
      link.forget()
      AgentChain.add(link, to: &base)
    }
    links.removeFirst(old.count)
    return Array(old)
  }

  private static func add(_ link: Link, to state: inout State) {
    let evidence = link.evidence
    state.count += 1
    state.conn = evidence.conn
    switch evidence.kind {
    case .stream: state.hasStream = true
    case .notification(let isInitialized, _): if isInitialized { state.isInitialized = true }
    case .beginning, .request:
      state.lastSent = max(state.lastSent, evidence.t)
      if let done = link.done {
        state.lastDone = max(state.lastDone ?? done, done)
      } else {
        state.open += 1
      }
      if let id = evidence.id { expect(after: id, &state) }
    }
  }

  private static func expect(after id: Int64, _ state: inout State) {
    guard let next = state.next else {
      state.next = id &+ 1
      return
    }
    if id >= next {
      let first = max(next, id &- Int64(missingLimit))
      if first < id { state.missing += first..<id }
      if state.missing.count > missingLimit {
        state.missing.removeFirst(state.missing.count - missingLimit)
      }
      state.next = id &+ 1
    } else {
      state.missing.removeAll { $0 == id }
    }
  }
}

extension AgentChain.Link {
  /// Probability that it belongs here and not to what else was thinkable, by the costs (negative logarithms of odds).
  ///
  /// What was thinkable is itself a judgement: among others, without a proof, one is never quite sure.
  var certainty: Double {
    var odds = 1.0
    for other in others { odds += ChainCosts.exp(cost - other.cost) }
    return isInCompany ? min(1 / odds, 0.9) : 1 / odds
  }
}
