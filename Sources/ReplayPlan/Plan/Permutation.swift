/// A permutation of `0..<count` that needs no table.
///
/// Four Feistel rounds over the next even number of bits, walked until the result is in range (Black and Rogaway, "Ciphers with
/// arbitrary finite domains", 2002): at most four steps on the average.
struct Permutation: Sendable {
  private let count: UInt64
  private let half: UInt64
  private let mask: UInt64
  private let seed: UInt64

  init(count: Int, seed: UInt64) {
    self.count = UInt64(max(1, count))
    let bits = UInt64(64 - (self.count - 1).leadingZeroBitCount)
    half = max(1, (bits + 1) / 2)
    mask = (1 << half) - 1
    self.seed = seed
  }

  /// Returns where `index` goes. O(1) on the average.
  func callAsFunction(_ index: Int) -> Int {
    var value = UInt64(index)
    repeat {
      var (left, right) = (value >> half, value & mask)
      for round in 0..<4 as Range<UInt64> {
        (left, right) = (right, left ^ (SplitMix64.seed(seed, round, right) & mask))
      }
      value = left << half | right
    } while value >= count
    return Int(value)
  }
}
