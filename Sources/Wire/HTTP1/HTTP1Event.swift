public import Basics
public import NIOCore

extension HTTP1Decoder {
  /// Whose bytes these are.
  public enum Role: Sendable {
    /// The client's.
    case request
    /// The server's.
    case response
  }

  /// Why bytes were not understood. The raw value is the loss counter's name.
  public enum SkipReason: String, Hashable, Sendable {
    /// Not a start line.
    case malformed = "http.malformed"
    /// Bytes beyond the length of a message that said it was the last.
    case trailingGarbage = "http.trailing_garbage"
    /// A head longer than `headLimit`.
    case headTooLong = "limit.http_head"
    /// Bytes before the first recognisable message of a connection joined in the middle.
    case midstream = "http.midstream"
    /// Bytes behind a gap, up to the next message.
    case afterGap = "http.after_gap"
    /// A start line that ended with its connection.
    case incompleteHead = "http.incomplete_head"
  }

  /// What a direction says.
  public enum Event: Hashable, Sendable {
    /// A request begins.
    case request(HTTPRequestHead)
    /// A response begins; interim ones (1xx) have neither body nor end.
    case response(HTTPResponseHead)
    /// Bytes of the body without transfer coding, all of one capture time.
    case body(ByteBuffer, at: Timestamp)
    /// Trailer fields of a chunked body.
    case trailers(HeaderFields)
    /// `count` bytes of the message (its framing too, where that is chunked) are missing from the recording.
    case bodyGap(count: Int, at: Timestamp)
    /// The message is over; not `complete` when its framing was cut.
    case end(complete: Bool, at: Timestamp)
    /// Bytes of the protocol that follows a switch, all of one capture time. Not counted as explained.
    case tunnel(ByteBuffer, at: Timestamp)
    /// `count` bytes of that protocol are missing.
    case tunnelGap(count: Int, at: Timestamp)
    /// Bytes that are no part of a message.
    case skipped(bytes: Int, SkipReason, at: Timestamp)
  }
}
