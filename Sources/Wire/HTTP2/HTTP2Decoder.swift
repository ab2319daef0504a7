public import Basics
public import NIOCore

/// Turns one direction of an HTTP/2 connection into what its frames say (RFC 9113), as an observer.
///
/// Theory: a direction is a sequence of frames, the client's behind a preface. Frames are length-prefixed, so what is not
/// of interest is stepped over; the content of DATA is passed on as it comes. Header blocks must be read in order and whole,
/// for the compression state is shared by all streams: a block that is missed leaves it unknown (`HPACKState`).
/// A gap inside a DATA frame costs only its bytes. Any other, or what can't be a frame, loses the frame sync: then bytes are
/// skipped up to a chain of plausible frame headers.
/// Inputs (bytes, gaps, the end) take effect in the order they came, however seldom `next` is called.
/// Invariant: after `end` was called and `next` returned nil, `explained`, all `data` and all `skipped` equal the bytes
/// appended.
///
/// Phases: preface? → frame ⇄ (data | step over); any → resync on gaps or bytes that break the framing; resync → frame.
///
/// Three kinds of wrong: appending after `end` is our bug (ignored); what can't be a frame is the peer's fault (`skipped`);
/// unknown frame types are ignored (RFC 9113 §4.1).
public struct HTTP2Decoder: Sendable {
  /// Longest header block that is read, with its frames (as HTTP/1's heads; Suricata stops at 100 KiB).
  public static let headerBlockLimit = 64 << 10

  enum Phase {
    case preface
    case frame
    /// In a DATA frame: bytes of content and of padding to come.
    case data(stream: Int, content: Int, padding: Int, endsStream: Bool)
    /// In a frame that is stepped over, as part of the protocol or of what is lost.
    case over(left: Int, lost: SkipReason?)
    case resync(SkipReason)
  }

  /// What came behind a gap that `next` has not reached yet.
  enum Later {
    case bytes(ByteBuffer, at: Timestamp)
    case gap(Int, at: Timestamp)
  }

  /// Bytes of frames that were read so far, without the content of DATA.
  public internal(set) var explained = 0
  let role: Role
  var phase: Phase
  var hpack: HPACKState
  var block: HTTP2HeaderBlock?
  var input = TimedBytes()
  var later = CircularBuffer<Later>(initialCapacity: 1)
  var queued = CircularBuffer<Event>(initialCapacity: 1)
  var ending: (how: FlowEnding, at: Timestamp)?
  var lastAt = Timestamp(nanoseconds: 0)

  /// Creates a decoder for one direction; `fromStart` is false when the connection was joined in the middle.
  public init(role: Role, fromStart: Bool = true) {
    self.role = role
    hpack = HPACKState(isKnown: fromStart)
    phase = !fromStart ? .resync(.midstream) : role == .client ? .preface : .frame
  }

  /// Appends the next bytes.
  public mutating func append(_ bytes: ByteBuffer, at: Timestamp) {
    guard ending == nil else { return }
    if later.isEmpty {
      input.append(bytes, at: at)
    } else {
      later.append(.bytes(bytes, at: at))
    }
  }

  /// Says that `count` bytes of the stream are missing here.
  public mutating func gap(_ count: Int, at: Timestamp) {
    if ending == nil, count > 0 { later.append(.gap(count, at: at)) }
  }

  /// Says that the direction is over.
  public mutating func end(_ how: FlowEnding, at: Timestamp) {
    if ending == nil { ending = (how, at) }
  }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  public mutating func own() {
    input.own()
    block?.own()
  }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> Event? {
    while true {
      while true {
        if let event = queued.popFirst() { return event }
        guard step() || !queued.isEmpty else { break }
      }
      switch later.popFirst() {
      case .bytes(let bytes, let at): input.append(bytes, at: at)
      case .gap(let count, let at): cross(gap: count, at: at)
      case nil:
        guard ending != nil, input.count > 0 || block != nil else { return nil }
        finish()
      }
    }
  }

  /// Goes on by one frame or a part of one; returns whether it could.
  private mutating func step() -> Bool {
    switch phase {
    case .preface: return readPreface()
    case .frame: return readFrame()
    case .data(let stream, let content, let padding, let endsStream):
      return readData(stream, content, padding, endsStream)
    case .over(let left, let lost): return stepOver(left, lost)
    case .resync(let reason): return resync(reason)
    }
  }

  // MARK: Frames

  private mutating func readPreface() -> Bool {
    let preface = HTTP2Chain.preface
    let bytes = input.bytes.readableBytesView
    guard preface.starts(with: bytes.prefix(preface.count)) else {
      loseSync(.malformed)
      return true
    }
    guard bytes.count >= preface.count else { return false }
    _ = explain(preface.count)
    phase = .frame
    return true
  }

  private mutating func readFrame() -> Bool {
    let bytes = input.bytes
    guard let header = HTTP2FrameHeader(bytes, at: bytes.readerIndex) else { return false }
    guard header.isValid else {
      loseSync(.malformed)
      return true
    }
    if header.kind != .continuation || header.stream != block?.stream { dropBlock(.malformed) }
    switch header.kind {
    case .data: return beginData(header)
    case .headers, .pushPromise, .continuation: return readHeaders(header)
    case .reset, .goAway: return readVerdict(header)
    default:
      _ = explain(HTTP2FrameHeader.length)
      phase = .over(left: header.payload, lost: nil)
      return true
    }
  }

  private mutating func beginData(_ header: HTTP2FrameHeader) -> Bool {
    let endsStream = header.has(HTTP2FrameHeader.Flag.endStream)
    guard header.has(HTTP2FrameHeader.Flag.padded), header.payload > 0 else {
      _ = explain(HTTP2FrameHeader.length)
      phase = .data(
        stream: header.stream, content: header.payload, padding: 0, endsStream: endsStream)
      return true
    }
    guard input.count > HTTP2FrameHeader.length else { return false }
    let prefix = explain(HTTP2FrameHeader.length + 1).bytes
    let padding = Int(prefix.getInteger(at: prefix.writerIndex - 1, as: UInt8.self) ?? 0)
    let content = header.payload - 1 - padding
    phase =
      content >= 0
      ? .data(stream: header.stream, content: content, padding: padding, endsStream: endsStream)
      : .over(left: header.payload - 1, lost: .malformed)
    return true
  }

  private mutating func readData(
    _ stream: Int, _ content: Int, _ padding: Int, _ endsStream: Bool
  ) -> Bool {
    if content + padding == 0 {
      phase = .frame
      if endsStream { queued.append(.end(stream: stream, at: lastAt)) }
      return true
    }
    let count = min(content > 0 ? content : padding, input.chunkCount)
    guard count > 0 else { return false }
    if content > 0 {
      let (bytes, at) = input.take(count)
      lastAt = at
      queued.append(.data(stream: stream, bytes, at: at))
      phase = .data(
        stream: stream, content: content - count, padding: padding, endsStream: endsStream)
    } else {
      _ = explain(count)
      phase = .data(stream: stream, content: 0, padding: padding - count, endsStream: endsStream)
    }
    return true
  }

  private mutating func stepOver(_ left: Int, _ lost: SkipReason?) -> Bool {
    if left == 0 {
      phase = .frame
      return true
    }
    let count = min(left, input.count)
    guard count > 0 else { return false }
    if let lost { skip(count, lost) } else { _ = explain(count) }
    phase = .over(left: left - count, lost: lost)
    return true
  }

  private mutating func readVerdict(_ header: HTTP2FrameHeader) -> Bool {
    let length = header.kind == .reset ? 4 : 8
    guard input.count >= HTTP2FrameHeader.length + length else { return false }
    var (bytes, at) = explain(HTTP2FrameHeader.length + length)
    bytes.moveReaderIndex(forwardBy: HTTP2FrameHeader.length)
    let first = bytes.readInteger(as: UInt32.self) ?? 0
    if header.kind == .reset {
      queued.append(.reset(stream: header.stream, code: first, at: at))
    } else {
      let code = bytes.readInteger(as: UInt32.self) ?? 0
      queued.append(.goAway(lastStream: Int(first & 0x7fff_ffff), code: code, at: at))
    }
    phase = .over(left: header.payload - length, lost: nil)
    return true
  }

  // MARK: Accounts

  mutating func explain(_ count: Int) -> (bytes: ByteBuffer, at: Timestamp) {
    let taken = input.take(count)
    explained += taken.bytes.readableBytes
    lastAt = taken.at
    return taken
  }

  mutating func skip(_ count: Int, _ reason: SkipReason) {
    guard count > 0 else { return }
    let (bytes, at) = input.take(count)
    queued.append(.skipped(bytes: bytes.readableBytes, reason, at: at))
  }
}
