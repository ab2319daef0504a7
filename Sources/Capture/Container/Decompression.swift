import NIOCore

/// How a capture file is packed.
enum Decompression {
  case none
  case gzip(GzipMembers)
  case zstd(ZstdFrames)

  /// Tells by the first bytes (RFC 1952 §2.3.1; RFC 8878 §3.1.1, skippable frames §3.1.2); no capture begins so.
  init(_ first: ByteBuffer) {
    self = .none
    guard first.readableBytes >= 4 else { return }
    let word = first.word(at: 0, isBigEndian: false)
    if word & 0xffff == 0x8b1f {
      self = .gzip(GzipMembers())
    } else if word == ZstdFrames.magic || word & ~15 == ZstdFrames.skippableMagic {
      self = .zstd(ZstdFrames())
    }
  }
}
