import Glibc

/// How unlikely it is that an agent made a request: negative logarithms of odds, so that they add up.
///
/// The figures are judgements, ordered by what SDKs do (they count ids up without gaps; one agent waits for its answers or
/// fires its calls at once) and checked against traffic whose truth is known.
struct ChainCosts {
  /// What the protocol passes back, and values that servers make, belong to who got them.
  static let token = -14.0
  static let value = -9.0
  static let trace = -10.0
  /// What an agent said before, and no other did.
  static let said = -3.0
  static let trait = -1.5
  /// Begins with an id that nobody waits for, and with one in the middle.
  static let beginsLow = 2.0
  static let beginsHigh = 7.0
  /// Who waits longest is served first, as far as nothing else tells: for each that waits longer.
  static let overtaking = 0.05
  static let overtakingMost = 6
  /// Calls of one turn leave within this time, nanoseconds.
  static let burst: Int64 = 50_000_000
  /// Where a link is certain enough to be told at once.
  static let firm = 4.0

  /// Mean and spread of the logarithms of think times, as seen lately.
  private var mean = 0.0
  private var spread = 1.0
  private var count = 0

  /// How often agents sent a request while they waited for an answer, and how often not, of what is certain.
  private var parallel = 0.5
  private var serial = 4.5

  /// Learns whether an agent waits for its answers.
  mutating func learn(isParallel: Bool) {
    if isParallel { parallel += 1 } else { serial += 1 }
    // What is long ago counts less.
    if parallel + serial > 200 {
      parallel /= 2
      serial /= 2
    }
  }

  /// Learns a think time.
  mutating func learn(gap: Int64) {
    let value = ChainCosts.logarithm(gap)
    count += 1
    let weight = max(0.02, 1 / Double(count))
    mean += weight * (value - mean)
    spread += weight * (abs(value - mean) - spread)
  }

  static func exp(_ x: Double) -> Double { Glibc.exp(x) }

  private static func logarithm(_ gap: Int64) -> Double { log(Double(max(gap, 1000))) }

  /// What speaks for or against a chain, but for what is said in the request; `nil` when it can't be.
  func cost(of evidence: ChainEvidence, in state: AgentChain.State, owns conn: Bool?) -> Double {
    var cost = 0.0
    switch evidence.kind {
    case .beginning: return 50
    case .request(let id):
      if let id { cost += ChainCosts.costOf(id: id, state) }
      if state.open > 0 {
        let isBurst = evidence.t - state.lastSent <= ChainCosts.burst
        cost += (isBurst ? 0 : 1) - log(parallel / (parallel + serial))
      } else if let done = state.lastDone {
        cost += evidence.t < done ? 2.5 : costOf(gap: evidence.t - done)
      }
    case .notification(let isInitialized, _):
      if isInitialized { cost += state.isInitialized ? 6 : state.open > 0 ? 3 : 0 }
    case .stream: cost += state.hasStream ? 6 : state.open > 0 ? 2 : 0
    }
    switch conn {
    case true?: cost -= 3
    case false?: cost += 1
    case nil: break
    }
    return cost
  }

  private static func costOf(id: Int64, _ state: AgentChain.State) -> Double {
    guard let next = state.next else { return 1 }
    if id == next { return 0 }
    if id > next { return 3 + Double(min(id &- next, 6)) }
    return state.missing.contains(id) ? 0.5 : 25
  }

  private func costOf(gap: Int64) -> Double {
    guard count >= 5 else { return 0 }
    let z = (ChainCosts.logarithm(gap) - mean) / max(spread * 1.25, 0.15)
    // Student's distribution with four degrees of freedom: think times have long tails. A pause of hours is still no other agent.
    let cost = 2.5 * log(1 + z * z / 4)
    return min(cost, 4) + 0.01 * cost
  }
}
