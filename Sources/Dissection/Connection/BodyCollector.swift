import Basics
import Crypto
import NIOCore
import Wire

/// The body of one message with its codings removed: kept up to a limit, counted and (for audits) hashed.
struct BodyCollector {
  /// Decoded bytes, up to the limit.
  private(set) var bytes = ByteBuffer()
  /// Decoded bytes in all.
  private(set) var count = 0
  /// False once something of it is missing.
  private(set) var isComplete = true
  /// True when `bytes` stopped at the limit.
  private(set) var isTruncated = false
  /// True when a coding was named that is not (or can't be) removed; the bytes are as sent.
  private(set) var isCoded = false

  private let limit: Int
  private var hash: SHA256?
  private var inflater: InflateDecoder?
  private var isLost = false

  init(fields: HeaderFields, limit: Int, hashes: Bool) {
    self.limit = limit
    if hashes { hash = SHA256() }
    let codings =
      fields.first("content-encoding")?.split(separator: ",").map { name in
        name.filter { !$0.isWhitespace }
      } ?? []
    let real = codings.filter { $0.lowercased() != "identity" }
    if real.count == 1, let coding = InflateDecoder.Coding(name: real[0]) {
      inflater = InflateDecoder(coding)
    } else if !real.isEmpty {
      isCoded = true
    }
  }

  /// Takes body bytes, returns them decoded.
  mutating func append(_ part: ByteBuffer, keep: Bool) -> ByteBuffer {
    var decoded = part
    if isLost { return ByteBuffer() }
    if let inflater {
      decoded = inflater.inflate(part)
      if inflater.failed {
        isComplete = false
        isCoded = true
      }
    }
    count += decoded.readableBytes
    unsafe decoded.withUnsafeReadableBytes { unsafe hash?.update(bufferPointer: $0) }
    guard keep else { return decoded }
    let room = limit - bytes.readableBytes
    if decoded.readableBytes > room { isTruncated = true }
    if room > 0,
      let slice = decoded.getSlice(
        at: decoded.readerIndex, length: min(room, decoded.readableBytes))
    {
      if bytes.readableBytes == 0 { bytes = slice } else { bytes.writeImmutableBuffer(slice) }
    }
    return decoded
  }

  /// Notes that bytes of it are missing.
  mutating func markIncomplete() { isComplete = false }

  /// Notes that bytes are missing before what is appended next: a coding can't be removed from there on.
  mutating func gap() {
    isComplete = false
    isLost = inflater != nil
  }

  /// SHA-256 in hex of a complete body, when hashing was asked for.
  var sha256: String? { isComplete ? hash.map { hex($0.finalize()) } : nil }
}
