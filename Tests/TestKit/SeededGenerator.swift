import Glibc

/// SplitMix64: small, fast, and the same everywhere for one seed.
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// Starts the sequence that belongs to `seed`.
  public init(seed: UInt64) { state = seed }

  /// Returns the next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Returns a seed for a property test: `TEST_SEED` from the environment, else a new one. Prints it with `name`.
  public static func freshSeed(_ name: String) -> UInt64 {
    var seed = UInt64.random(in: 0...UInt64.max)
    if let text = unsafe getenv("TEST_SEED"), let wanted = UInt64(unsafe String(cString: text)) {
      seed = wanted
    }
    print("\(name): TEST_SEED=\(seed)")
    return seed
  }
}
