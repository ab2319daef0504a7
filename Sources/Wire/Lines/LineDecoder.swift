public import Basics
public import NIOCore

/// Cuts one direction of a stdio server's traffic into lines (MCP: one message a line, ended by LF).
///
/// What is longer than `limit`, or has a hole, is skipped up to the next LF and counted. Every byte is in one event.
public struct LineDecoder: Sendable {
  /// A line, or what was skipped instead.
  public enum Event: Hashable, Sendable {
    /// A line without its LF; `size` counts that too. The last one may lack it.
    case line(ByteBuffer, size: Int, firstByteAt: Timestamp, lastByteAt: Timestamp)
    /// Bytes of a line that is not told.
    case skipped(bytes: Int, SkipReason, at: Timestamp)
  }

  /// Why a line is not told; the raw value names the loss.
  public enum SkipReason: String, Hashable, Sendable {
    /// It is longer than `limit`.
    case tooLong = "limit.stdio_line"
    /// Bytes of it are missing.
    case cut = "stdio.cut_line"
  }

  /// Longest line that is read, without its LF.
  public static let limit = 16 << 20

  private let limit: Int
  private var unread = TimedBytes()
  /// Unread bytes in which there is no LF.
  private var searched = 0
  private var skipping: SkipReason?
  private var skipped = 0
  private var isOver = false

  /// Creates a decoder at the beginning of a line.
  public init() { self.init(limit: LineDecoder.limit) }

  /// Creates a decoder with another limit.
  public init(limit: Int) { self.limit = limit }

  /// Appends the next bytes.
  public mutating func append(_ bytes: ByteBuffer, at: Timestamp) { unread.append(bytes, at: at) }

  /// Says that bytes are missing here: the line they belong to is given up. Take all events before.
  public mutating func gap() {
    skipping = .cut
    skipped += unread.take(unread.count).bytes.readableBytes
    searched = 0
  }

  /// Says that nothing comes any more; then take the last events.
  public mutating func end() { isOver = true }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  public mutating func own() { unread.own() }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> Event? {
    if let end = lineEnd() { return take(end + 1, isWhole: true) }
    searched = unread.count
    if skipping == nil, unread.count > limit { skipping = .tooLong }
    if skipping != nil {
      skipped += unread.take(unread.count).bytes.readableBytes
      searched = 0
    }
    guard isOver, unread.count + skipped > 0 else { return nil }
    return take(unread.count, isWhole: false)
  }

  private func lineEnd() -> Int? {
    let bytes = unread.bytes
    return ByteScan.firstIndex(of: 0x0a, in: bytes.readableBytesUInt8Span, from: searched)
  }

  private mutating func take(_ count: Int, isWhole: Bool) -> Event {
    let firstByteAt = unread.time
    let (bytes, at) = unread.take(count)
    searched = 0
    let text = isWhole ? count - 1 : count
    if let reason = skipping ?? (text > limit ? .tooLong : nil) {
      defer {
        skipping = nil
        skipped = 0
      }
      return .skipped(bytes: skipped + count, reason, at: at)
    }
    let line = bytes.getSlice(at: bytes.readerIndex, length: text) ?? ByteBuffer()
    return .line(line, size: count, firstByteAt: firstByteAt, lastByteAt: at)
  }
}
