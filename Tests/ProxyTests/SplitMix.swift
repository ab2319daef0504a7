import NIOCore

/// Repeatable random numbers (Steele, Lea, Flood: SplitMix64).
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Returns `count` random bytes, a multiple of eight. They repeat after a mebibyte and a bit, an odd
  /// length, so that no buffer size hides a mix-up.
  mutating func bytes(_ count: Int) -> ByteBuffer {
    let period = (1 << 20) + 8
    var block = ByteBuffer()
    for _ in 0..<min(count, period) / 8 { block.writeInteger(next()) }
    var bytes = ByteBuffer()
    bytes.reserveCapacity(count)
    while count - bytes.readableBytes >= block.readableBytes { bytes.writeImmutableBuffer(block) }
    if let rest = block.readSlice(length: count - bytes.readableBytes) {
      bytes.writeImmutableBuffer(rest)
    }
    return bytes
  }
}
