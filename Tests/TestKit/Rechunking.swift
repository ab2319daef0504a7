public import NIOCore

/// Ways to cut a byte sequence into chunks, for tests that segmentation must not matter to.
public enum Rechunking {
  /// Returns the bytes in chunks of random length, from one byte to a quarter of them.
  public static func random(
    _ bytes: [UInt8], using generator: inout some RandomNumberGenerator
  ) -> [ByteBuffer] {
    var chunks: [ByteBuffer] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let limit = Bool.random(using: &generator) ? 4 : max(1, bytes.count / 4)
      let count = min(rest.count, Int.random(in: 1...limit, using: &generator))
      chunks.append(ByteBuffer(bytes: rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return chunks
  }

  /// Returns one chunk a byte.
  public static func bytewise(_ bytes: [UInt8]) -> [ByteBuffer] {
    bytes.map { ByteBuffer(bytes: [$0]) }
  }

  /// Returns the two parts of every way to cut the bytes once.
  public static func everySplit(_ bytes: [UInt8]) -> [[ByteBuffer]] {
    guard bytes.count > 1 else { return [] }
    return (1..<bytes.count).map {
      [ByteBuffer(bytes: bytes[..<$0]), ByteBuffer(bytes: bytes[$0...])]
    }
  }
}
