/// What a plan's numbers by chance are for: each draws from a stream of its own, so that one more of a kind changes no other.
///
/// The raw values are part of what a seed means.
enum Chance: UInt64 {
  case rest = 1
  case agent
  case bootstrap
  case phase
  case think
  case order
  case commonPhase
  case slotGroup
  case slot
  case agedAgent
  case arrivals
  case simulation
  case entry
  case windows
  case chain
  case sample
}

extension SplitMix64 {
  /// A generator of one stream of a seed; `parts` tell its members apart.
  init(_ seed: UInt64, _ chance: Chance, _ parts: UInt64...) {
    self.init(seed: parts.reduce(SplitMix64.stream(seed, chance), SplitMix64.joined))
  }

  /// A seed of its own in one stream of another.
  static func seed(_ seed: UInt64, _ chance: Chance, _ parts: UInt64...) -> UInt64 {
    parts.reduce(stream(seed, chance), joined)
  }

  private static func stream(_ seed: UInt64, _ chance: Chance) -> UInt64 {
    joined(joined(noParts, seed), chance.rawValue)
  }
}
