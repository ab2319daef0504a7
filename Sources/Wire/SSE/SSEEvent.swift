public import Basics
public import NIOCore

/// One block of an event stream.
public struct SSEEvent: Hashable, Sendable {
  /// `event` field; `nil` (also for an empty one) means `message`.
  public var name: String?
  /// `id` field of this block.
  public var id: String?
  /// `retry` field, milliseconds.
  public var retry: Int?
  /// `data` lines joined by LF; `nil` when the block had none.
  public var data: ByteBuffer?
  /// Text of a comment line; comments come as events of their own, at once.
  public var comment: String?
  /// Capture time of the block's first byte.
  public var firstByteAt: Timestamp
  /// Capture time of the byte that completed it.
  public var lastByteAt: Timestamp
  /// True when data or a line was longer than `SSEDecoder.lineLimit`; what is there is the beginning.
  public var isTruncated = false
}

extension SSEEvent {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Creates an empty block.
  public init(firstByteAt: Timestamp, lastByteAt: Timestamp) {
    self.init(
      name: nil, id: nil, retry: nil, data: nil, comment: nil, firstByteAt: firstByteAt,
      lastByteAt: lastByteAt)
  }
}
