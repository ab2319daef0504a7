import NIOCore
import TestKit

extension SeededGenerator {
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
