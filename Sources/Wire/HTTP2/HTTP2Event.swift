public import Basics
public import NIOCore

extension HTTP2Decoder {
  /// Whose bytes these are.
  public enum Role: Sendable {
    /// The client's, which begin with the preface.
    case client
    /// The server's.
    case server
  }

  /// Why bytes were not understood. The raw value is the loss counter's name.
  public enum SkipReason: String, Hashable, Sendable {
    /// What can't be a frame, or not at its place.
    case malformed = "h2.malformed"
    /// Bytes before the first recognisable frames of a connection joined in the middle.
    case midstream = "h2.midstream"
    /// Bytes behind a gap, up to the next recognisable frames; and what the gap tore.
    case afterGap = "h2.after_gap"
    /// A frame or header block that ended with its connection.
    case incomplete = "h2.incomplete_frame"
    /// A header block that is no HPACK.
    case undecodable = "h2.hpack_error"
    /// A header block longer than `headerBlockLimit`.
    case headersTooLong = "limit.h2_headers"
  }

  /// A decoded header block: a request's or response's head, trailers, or a promised request.
  public struct Headers: Hashable, Sendable {
    /// The stream that carried it.
    public var stream: Int
    /// The stream that a PUSH_PROMISE announces.
    public var promised: Int?
    /// Fields in wire order, pseudo-header fields among them.
    public var fields: [HeaderField]
    /// How many fields have a name that is not known, as `?hpack-62`.
    public var unknown: Int
    /// True when names and values come from a table that was put together again after a loss.
    public var areGuessed: Bool
    /// True when nothing follows on the stream.
    public var endsStream: Bool
    /// Capture time of the first byte.
    public var firstByteAt: Timestamp
    /// Latest capture time of its bytes.
    public var endAt: Timestamp
  }

  /// What a direction says.
  public enum Event: Hashable, Sendable {
    /// A header block. Where it ends the stream, `end` follows.
    case headers(Headers)
    /// Content of a DATA frame, all of one capture time. Its bytes are not among the `explained`.
    case data(stream: Int, ByteBuffer, at: Timestamp)
    /// `count` bytes of a DATA frame's content are missing from the recording.
    case dataGap(stream: Int, count: Int, at: Timestamp)
    /// The sender has said all on the stream.
    case end(stream: Int, at: Timestamp)
    /// The sender gives the stream up (RFC 9113 §6.4).
    case reset(stream: Int, code: UInt32, at: Timestamp)
    /// The sender takes no streams above `lastStream` (RFC 9113 §6.8).
    case goAway(lastStream: Int, code: UInt32, at: Timestamp)
    /// From here on frames are not recognised: any of them may be among what is missing.
    case lostSync(at: Timestamp)
    /// Frames are recognised again after bytes that were not.
    case resynced(at: Timestamp)
    /// Bytes that are part of no frame, or of one that can't be read.
    case skipped(bytes: Int, SkipReason, at: Timestamp)
  }
}
