import Basics
import NIOCore

/// A header block under way: a HEADERS or PUSH_PROMISE frame and its CONTINUATIONs (RFC 9113 §6.10).
struct HTTP2HeaderBlock: Sendable {
  let stream: Int
  /// The stream that a PUSH_PROMISE announces.
  private(set) var promised: Int?
  let endsStream: Bool
  let firstByteAt: Timestamp
  private(set) var endAt: Timestamp
  /// Bytes of its frames so far.
  private(set) var size: Int
  /// The compressed fields so far; `nil` when padding or priority leave no room for any.
  private(set) var fragment: ByteBuffer?

  /// Begins with a whole frame.
  init(
    _ header: HTTP2FrameHeader, _ frame: ByteBuffer, firstByteAt: Timestamp, endAt: Timestamp
  ) {
    stream = header.stream
    endsStream =
      header.kind == .headers && header.has(HTTP2FrameHeader.Flag.endStream)
    self.firstByteAt = firstByteAt
    self.endAt = endAt
    size = frame.readableBytes
    var rest = frame
    rest.moveReaderIndex(forwardBy: HTTP2FrameHeader.length)
    var padding = 0
    if header.has(HTTP2FrameHeader.Flag.padded) {
      padding = Int(rest.readInteger(as: UInt8.self) ?? .max)
    }
    if header.kind == .headers, header.has(HTTP2FrameHeader.Flag.priority) {
      guard rest.readSlice(length: 5) != nil else { return }
    }
    if header.kind == .pushPromise {
      guard let id = rest.readInteger(as: UInt32.self) else { return }
      promised = Int(id & 0x7fff_ffff)
    }
    fragment = rest.getSlice(at: rest.readerIndex, length: rest.readableBytes - padding)
  }

  /// Copies the fields so far where they are a small part of the buffer that they keep.
  mutating func own() { fragment?.own() }

  /// Takes a whole CONTINUATION frame.
  mutating func append(_ frame: ByteBuffer, at: Timestamp) {
    size += frame.readableBytes
    endAt = max(endAt, at)
    var rest = frame
    rest.moveReaderIndex(forwardBy: HTTP2FrameHeader.length)
    fragment?.writeImmutableBuffer(rest)
  }
}
