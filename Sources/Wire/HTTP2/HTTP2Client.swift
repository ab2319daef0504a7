public import Basics
public import NIOCore
import NIOHPACK

/// The client's side of one HTTP/2 connection without I/O (RFC 9113): requests and received bytes go in, frames to send and
/// answers come out.
///
/// Theory: a request is one HEADERS (and CONTINUATION) frame and its body in DATA frames as far as the peer's windows reach; what
/// is left waits for WINDOW_UPDATE. What is received is acknowledged in halves of our own windows, which are large: answers are
/// read as fast as they come. Streams are opened up to the peer's limit and until GOAWAY.
///
/// Stream phases: open → (our end | their end) → gone; RST_STREAM from either side → gone at once.
///
/// Three kinds of wrong: opening a stream without `hasRoom` is our bug; frames that break the framing or the compression end the
/// connection (`failed`, RFC 9113 §5.4.1); frames of streams that are gone and unknown types are ignored (§5.1, §4.1).
public struct HTTP2Client: Sendable {
  /// What a server says.
  public enum Event: Sendable {
    /// A final head; interim ones (1xx) are passed over.
    case head(stream: Int, status: Int, fields: HeaderFields, endsStream: Bool)
    /// A part of the body.
    case data(stream: Int, ByteBuffer)
    /// The answer is over.
    case end(stream: Int)
    /// The stream was given up; `wasRefused` when the server did nothing for it (RFC 9113 §8.7), so that it can be sent again.
    case reset(stream: Int, wasRefused: Bool)
    /// The connection is of no use any more; its streams end with it.
    case failed(String)
  }

  /// What we take for each stream, and for all of them, before the server has to wait.
  static let streamWindow = 1 << 20
  static let connectionWindow = 16 << 20
  /// Longest frame that is read; we ask for no more than the default.
  static let frameLimit = HTTP2FrameHeader.defaultMaxFrameSize
  /// The window before any SETTINGS (RFC 9113 §6.9.2).
  static let defaultWindow = 65_535
  /// Streams at a time as long as the server has said nothing.
  static let assumedStreams = 100

  struct Stream {
    var body: ByteBuffer?
    /// Bytes that the peer still takes.
    var window: Int
    /// Bytes that came and are not acknowledged.
    var unacknowledged = 0
    var hasHead = false
  }

  var streams: [Int: Stream] = [:]
  var nextStream = 1
  var out = ByteBuffer()
  var input = ByteBuffer()
  var ready = CircularBuffer<Event>(initialCapacity: 4)
  var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
  var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
  /// A header block whose end is in CONTINUATION frames to come.
  var block: (stream: Int, bytes: ByteBuffer, endsStream: Bool)?
  var sendWindow = HTTP2Client.defaultWindow
  var peerStreamWindow = HTTP2Client.defaultWindow
  var peerFrameSize = HTTP2FrameHeader.defaultMaxFrameSize
  var peerStreams = HTTP2Client.assumedStreams
  var unacknowledged = 0
  var isGoingAway = false
  var hasFailed = false

  /// Creates a connection; the preface is its first output.
  public init() {
    out.writeBytes(HTTP2Chain.preface)
    frame(.settings, payload: 12)
    setting(2, 0)
    setting(4, UInt32(HTTP2Client.streamWindow))
    frame(.windowUpdate, payload: 4)
    out.writeInteger(UInt32(HTTP2Client.connectionWindow - HTTP2Client.defaultWindow))
  }

  /// Whether another stream can be opened now.
  public var hasRoom: Bool { isUsable && streams.count < peerStreams }
  /// Whether another stream can ever be opened.
  public var isUsable: Bool { !isGoingAway && !hasFailed && nextStream < 0x7fff_fff0 }
  /// Streams that are open.
  public var openStreams: Int { streams.count }

  /// Takes what is to be sent.
  public mutating func output() -> ByteBuffer? {
    guard out.readableBytes > 0 else { return nil }
    let taken = out
    out = ByteBuffer()
    return taken
  }

  /// Opens a stream with a request, pseudo-header fields first and names in lower case; returns its number.
  public mutating func request(_ fields: [HeaderField], body: ByteBuffer?) -> Int {
    precondition(hasRoom, "a stream is opened only where there is room for one")
    let number = nextStream
    nextStream += 2
    let isBodiless = (body?.readableBytes ?? 0) == 0
    writeHeaders(number, fields, endsStream: isBodiless)
    streams[number] = Stream(body: isBodiless ? nil : body, window: peerStreamWindow)
    sendBody(number)
    return number
  }

  /// Gives a stream up.
  public mutating func cancel(_ stream: Int) {
    guard streams.removeValue(forKey: stream) != nil else { return }
    reset(stream, code: 8)
  }

  /// Takes received bytes.
  public mutating func append(_ bytes: ByteBuffer) {
    guard !hasFailed else { return }
    if input.readableBytes == 0 { input = bytes } else { input.writeImmutableBuffer(bytes) }
    while !hasFailed, readFrame() {}
    if input.readableBytes == 0 { input = ByteBuffer() } else { input.discardReadBytes() }
  }

  /// Returns what the server said next.
  public mutating func next() -> Event? { ready.popFirst() }

  // MARK: Sending

  private mutating func writeHeaders(_ stream: Int, _ fields: [HeaderField], endsStream: Bool) {
    var block = ByteBuffer()
    do {
      try encoder.encode(
        headers: HPACKHeaders(fields.map { ($0.name, $0.value) }), to: &block)
    } catch {
      return fail("a header could not be compressed")
    }
    var kind = HTTP2FrameHeader.Kind.headers
    repeat {
      let part = block.readSlice(length: min(block.readableBytes, peerFrameSize)) ?? ByteBuffer()
      var flags: UInt8 = block.readableBytes == 0 ? HTTP2FrameHeader.Flag.endHeaders : 0
      if kind == .headers, endsStream { flags |= HTTP2FrameHeader.Flag.endStream }
      frame(kind, flags: flags, stream: stream, payload: part.readableBytes)
      out.writeImmutableBuffer(part)
      kind = .continuation
    } while block.readableBytes > 0
  }

  /// Sends of a stream's body what the windows take.
  mutating func sendBody(_ number: Int) {
    guard var stream = streams[number], var body = stream.body else { return }
    while body.readableBytes > 0 {
      let count = min(body.readableBytes, peerFrameSize, stream.window, sendWindow)
      guard count > 0, let part = body.readSlice(length: count) else { break }
      stream.window -= count
      sendWindow -= count
      let isLast = body.readableBytes == 0
      frame(
        .data, flags: isLast ? HTTP2FrameHeader.Flag.endStream : 0, stream: number,
        payload: count)
      out.writeImmutableBuffer(part)
    }
    stream.body = body.readableBytes > 0 ? body : nil
    streams[number] = stream
  }

  mutating func reset(_ stream: Int, code: UInt32) {
    frame(.reset, stream: stream, payload: 4)
    out.writeInteger(code)
  }

  mutating func frame(
    _ kind: HTTP2FrameHeader.Kind, flags: UInt8 = 0, stream: Int = 0, payload: Int
  ) {
    out.writeInteger(UInt32(payload) << 8 | UInt32(kind.rawValue))
    out.writeInteger(flags)
    out.writeInteger(UInt32(stream))
  }

  private mutating func setting(_ name: UInt16, _ value: UInt32) {
    out.writeInteger(name)
    out.writeInteger(value)
  }

  mutating func fail(_ cause: String) {
    guard !hasFailed else { return }
    hasFailed = true
    frame(.goAway, payload: 8)
    out.writeInteger(UInt32(0))
    out.writeInteger(UInt32(1))
    streams = [:]
    ready.append(.failed(cause))
  }
}
