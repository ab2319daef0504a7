import Glibc

/// A small seeded generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
///
/// The plan depends on it, not on the standard library's algorithms: the same seed gives the same plan in every
/// version of the program.
public struct SplitMix64: RandomNumberGenerator, Hashable, Sendable {
  private var state: UInt64

  /// Creates a generator; every seed is as good as another.
  public init(seed: UInt64) { state = seed }

  /// Returns the next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return SplitMix64.mix(state)
  }

  /// Returns a number of [0, 1) with 53 bits.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Returns a number of the exponential distribution with mean 1.
  mutating func exponential() -> Double { -log(1 - unit()) }

  /// Returns a number of the standard normal distribution (Box and Muller, 1958).
  mutating func normal() -> Double {
    let radius = (2 * exponential()).squareRoot()
    return radius * cos(2 * Double.pi * unit())
  }

  /// Returns a number of `0..<bound`; 0 when there is none.
  mutating func below(_ bound: Int64) -> Int64 {
    guard bound > 0 else { return 0 }
    return Int64(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Returns a seed made of several parts, each of which changes it entirely.
  static func seed(_ parts: UInt64...) -> UInt64 { parts.reduce(noParts, joined) }

  /// The seed of no parts.
  static let noParts: UInt64 = 0x6d63_7074_7261_6365

  /// A seed with one part more.
  static func joined(_ seed: UInt64, _ part: UInt64) -> UInt64 {
    mix(seed &+ 0x9e37_79b9_7f4a_7c15 ^ mix(part))
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
