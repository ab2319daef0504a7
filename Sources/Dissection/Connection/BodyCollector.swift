import Basics
import Crypto
import NIOCore
import Wire

/// What is kept of bodies.
struct BodyRule: Sendable {
  /// Bytes of one that are kept; the rest is counted.
  var limit: Int
  /// Whether they are hashed.
  var hashes: Bool
}

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
  /// What of it could not be decoded, or is not; names of losses.
  var flaws: [String] {
    var flaws: [String] = []
    if isCoded || content?.failed == true { flaws.append("content.undecoded") }
    if content?.isLimited == true { flaws.append("http.decompress_limit") }
    if let content, !content.failed, !content.isLimited, content.undecoded > 0 {
      flaws.append("content.trailing")
    }
    if isTruncated { flaws.append("limit.body") }
    return flaws
  }
  /// True when its coding has no end, although the body has.
  var isCutInside: Bool { content.map { count > 0 && !$0.finished && !$0.failed } ?? false }
  /// True when a coding was named that is not (or can't be) removed: at least one layer is as sent.
  private(set) var isCoded = false

  private let limit: Int
  private var hash: SHA256?
  private let content: ContentDecoder?
  private var isLost = false
  /// True when the recording lacks bytes of it.
  private(set) var hasGap = false
}

extension BodyCollector {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Collects a body of which the header fields say nothing.
  init(_ rule: BodyRule) {
    self.init(limit: rule.limit, hash: rule.hashes ? SHA256() : nil, content: nil)
  }

  /// Collects the body that header fields announce.
  init(fields: borrowing HeaderFields, _ rule: BodyRule) {
    guard ContentCoding.isNamed(in: fields) else {
      self.init(rule)
      return
    }
    let content = ContentDecoder(fields: copy fields)
    let isCoded = content?.isUnknown == true || ContentCoding.hasUnknownTransfer(in: copy fields)
    self.init(
      isCoded: isCoded, limit: rule.limit, hash: rule.hashes ? SHA256() : nil, content: content)
  }

  /// The bytes, where all of them are there.
  var whole: ByteBuffer? { isComplete && !isTruncated ? bytes : nil }

  /// False where there is nothing to be said of its inside.
  var mayBeFlawed: Bool { isCoded || isTruncated || content != nil }

  /// Takes body bytes, returns them decoded.
  mutating func append(_ part: ByteBuffer, keep: Bool) -> ByteBuffer {
    var decoded = part
    if isLost { return ByteBuffer() }
    if let content {
      decoded = content.decode(part)
      if content.failed || content.isLimited { isComplete = false }
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

  /// Copies what it keeps where that is a small part of the buffer that brought it.
  mutating func own() { bytes.own() }

  /// Notes that bytes of it are missing.
  mutating func markIncomplete() { isComplete = false }

  /// Notes that bytes are missing before what is appended next: a coding can't be removed from there on.
  mutating func gap() {
    isComplete = false
    hasGap = true
    isLost = content != nil
  }

  /// SHA-256 in hex of a complete body, when hashing was asked for.
  var sha256: String? { isComplete ? hash.map { hex($0.finalize()) } : nil }
}
