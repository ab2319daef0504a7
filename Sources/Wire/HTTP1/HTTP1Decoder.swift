public import Basics
public import NIOCore

/// Turns one direction of an HTTP/1.x connection into messages (RFC 9112), as an observer.
///
/// Theory: a direction is a sequence of messages: head, body framed by RFC 9112 §6.3, end. The decoder describes what it
/// sees; it enforces nothing. What it can't frame it *skips*, byte for byte, until a chunk begins like a message again.
/// Invariant: after `end` was called and `next` returned nil, `explained` plus all `skipped` equals the bytes appended.
///
/// Phases: start → (fixed | untilClose | chunkSize ⇄ chunkData → trailers)? → finish → start; any → resync on bytes or gaps
/// that break the framing; finish → tunnel after 101 or a 2xx to CONNECT.
///
/// Three kinds of wrong: appending after `end` is our bug (ignored); malformed bytes are the peer's fault (`skipped`);
/// empty lines between messages are ignored (RFC 9112 §2.2).
public struct HTTP1Decoder: Sendable {
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
    /// A head longer than `headLimit`.
    case headTooLong = "limit.http_head"
    /// Bytes before the first recognisable message of a connection joined in the middle.
    case midstream = "http.midstream"
    /// Bytes behind a gap, up to the next message.
    case afterGap = "http.after_gap"
    /// A head that ended with its connection.
    case incompleteHead = "http.incomplete_head"
    /// Bytes after a protocol switch.
    case tunnel = "http.tunnel"
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
    case trailers([HeaderField])
    /// `count` bytes of the body are missing from the recording.
    case bodyGap(count: Int, at: Timestamp)
    /// The message is over; not `complete` when its framing was cut.
    case end(complete: Bool, at: Timestamp)
    /// Bytes that are no part of a message.
    case skipped(bytes: Int, SkipReason, at: Timestamp)
  }

  /// Longest head that is read (nginx and haproxy stop at 32 KiB, Node at 16 KiB).
  public static let headLimit = 64 << 10
  private static let chunkLineLimit = 4096

  private enum Phase: Hashable {
    case start
    case fixed(Int)
    case untilClose
    case chunkSize
    case chunkData(Int)
    case chunkEnd
    case trailers
    case finish
    case resync(SkipReason)
    case tunnel
  }

  /// Bytes that became part of a message so far.
  public private(set) var explained = 0
  private let role: Role
  private var phase: Phase
  private var input = TimedBytes()
  private var searched = 0
  private var ending: (how: FlowEnding, at: Timestamp)?
  private var lastAt = Timestamp(nanoseconds: 0)
  private var queued: [Event] = []

  /// Creates a decoder for one direction; `fromStart` is false when the connection was joined in the middle.
  public init(role: Role, fromStart: Bool = true) {
    self.role = role
    phase = fromStart ? .start : .resync(.midstream)
  }

  /// Appends the next bytes.
  public mutating func append(_ bytes: ByteBuffer, at: Timestamp) {
    guard ending == nil else { return }
    if case .resync(let reason) = phase, input.count == 0 {
      guard HTTP1Head.isPlausibleStart(bytes.readableBytesUInt8Span, request: role == .request)
      else {
        queued.append(.skipped(bytes: bytes.readableBytes, reason, at: at))
        return
      }
      phase = .start
    }
    input.append(bytes, at: at)
  }

  /// Says that `count` bytes of the stream are missing here.
  public mutating func gap(_ count: Int, at: Timestamp) {
    while let event = step() { queued.append(event) }
    switch phase {
    case .fixed(let left) where count < left:
      phase = .fixed(left - count)
      queued.append(.bodyGap(count: count, at: at))
    case .fixed(let left) where count == left:
      queued.append(.bodyGap(count: count, at: at))
      queued.append(.end(complete: false, at: at))
      phase = .start
    case .untilClose:
      queued.append(.bodyGap(count: count, at: at))
    case .chunkData(let left) where count <= left:
      phase = count == left ? .chunkEnd : .chunkData(left - count)
      queued.append(.bodyGap(count: count, at: at))
    case .tunnel: break
    case .start, .resync: breakOff(.afterGap, at: at, inMessage: false)
    default: breakOff(.afterGap, at: at, inMessage: true)
    }
  }

  /// Says that the direction is over.
  public mutating func end(_ how: FlowEnding, at: Timestamp) {
    if ending == nil { ending = (how, at) }
  }

  /// Says that the response whose head `next` just returned has no body (HEAD, RFC 9110 §6.4.1).
  public mutating func omitBody() { phase = .finish }

  /// Says that what follows the message is another protocol (a 2xx to CONNECT).
  public mutating func becomeTunnel() { phase = .tunnel }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> Event? {
    if !queued.isEmpty { return queued.removeFirst() }
    return step()
  }

  private mutating func step() -> Event? {
    switch phase {
    case .start: return readHead()
    case .finish:
      phase = .start
      return .end(complete: true, at: lastAt)
    case .fixed(let left):
      guard let event = takeBody(left) else { return cutOff(complete: false) }
      let rest = left - event.count
      phase = rest == 0 ? .finish : .fixed(rest)
      return event.event
    case .untilClose:
      guard let event = takeBody(.max) else { return cutOff(complete: ending?.how == .fin) }
      return event.event
    case .chunkSize: return readChunkSize()
    case .chunkData(let left):
      guard let event = takeBody(left) else { return cutOff(complete: false) }
      phase = left == event.count ? .chunkEnd : .chunkData(left - event.count)
      return event.event
    case .chunkEnd: return readChunkEnd()
    case .trailers: return readTrailers()
    case .resync(let reason): return skipAll(reason)
    case .tunnel: return skipAll(.tunnel)
    }
  }

  private mutating func takeBody(_ limit: Int) -> (event: Event, count: Int)? {
    guard input.count > 0 else { return nil }
    let count = min(limit, input.chunkCount)
    let (bytes, at) = input.take(count)
    explained += count
    lastAt = max(lastAt, at)
    return (.body(bytes, at: at), count)
  }

  /// The direction is over in the middle of a message.
  private mutating func cutOff(complete: Bool) -> Event? {
    guard let ending else { return nil }
    phase = .start
    return .end(complete: complete, at: max(ending.at, lastAt))
  }

  private mutating func breakOff(_ reason: SkipReason, at: Timestamp, inMessage: Bool) {
    if inMessage { queued.append(.end(complete: false, at: at)) }
    phase = .resync(reason)
    searched = 0
    if let event = skipAll(reason) { queued.append(event) }
  }

  private mutating func skipAll(_ reason: SkipReason) -> Event? {
    guard input.count > 0 else { return nil }
    let (bytes, at) = input.take(input.count)
    return .skipped(bytes: bytes.readableBytes, reason, at: at)
  }

  private mutating func readHead() -> Event? {
    skipEmptyLines()
    guard input.count > 0 else { return nil }
    guard let length = headLength() else {
      let isTooLong = input.count > HTTP1Decoder.headLimit
      guard isTooLong || ending != nil else { return nil }
      phase = .resync(isTooLong ? .headTooLong : .incompleteHead)
      searched = 0
      return skipAll(isTooLong ? .headTooLong : .incompleteHead)
    }
    searched = 0
    let firstByteAt = input.time
    let (bytes, at) = input.take(length)
    lastAt = at
    let span = bytes.readableBytesUInt8Span
    if role == .request {
      guard let head = HTTP1Head.request(span) else { return malformed(length, at) }
      explained += length
      phase = Framing.ofRequest(head.fields).phase
      return .request(
        HTTPRequestHead(
          method: head.method, target: head.target, fields: head.fields,
          firstByteAt: firstByteAt, endAt: at))
    }
    guard let head = HTTP1Head.response(span) else { return malformed(length, at) }
    explained += length
    let response = HTTPResponseHead(
      status: head.status, fields: head.fields, firstByteAt: firstByteAt, endAt: at)
    if response.isInterim {
      phase = .start
    } else if head.status == 101 {
      phase = .tunnel
      queued.append(.end(complete: true, at: at))
    } else {
      phase = Framing.ofResponse(head.fields, status: head.status).phase
    }
    return .response(response)
  }

  private mutating func malformed(_ length: Int, _ at: Timestamp) -> Event {
    phase = .resync(.malformed)
    let rest = input.take(input.count)
    return .skipped(bytes: length + rest.bytes.readableBytes, .malformed, at: max(at, rest.at))
  }

  private mutating func skipEmptyLines() {
    guard searched == 0 else { return }
    while let byte = input.bytes.getInteger(at: input.bytes.readerIndex, as: UInt8.self),
      byte == 0x0d || byte == 0x0a
    {
      _ = input.take(1)
      explained += 1
    }
  }

  /// Length of the head with its empty line; remembers how far it searched, so that dripping bytes cost O(n).
  private mutating func headLength() -> Int? {
    let bytes = input.bytes
    let span = bytes.readableBytesUInt8Span
    var i = searched
    while i < span.count {
      if span[i] == 0x0a {
        if i + 1 < span.count, span[i + 1] == 0x0a { return i + 2 }
        if i + 2 < span.count, span[i + 1] == 0x0d, span[i + 2] == 0x0a { return i + 3 }
      }
      i += 1
    }
    searched = max(0, span.count - 2)
    return nil
  }

  /// Takes one line with its LF; `nil` when it is not there yet.
  private mutating func readLine() -> (line: ByteBuffer, at: Timestamp)? {
    guard let length = lineLength() else { return nil }
    let (bytes, at) = input.take(length)
    explained += length
    lastAt = max(lastAt, at)
    return (bytes, at)
  }

  private func lineLength() -> Int? {
    let view = input.bytes.readableBytesView
    guard let lf = view.prefix(HTTP1Decoder.chunkLineLimit).firstIndex(of: 0x0a) else { return nil }
    return lf - view.startIndex + 1
  }

  private mutating func brokenChunk() -> Event? {
    if input.count >= HTTP1Decoder.chunkLineLimit { return endMalformed() }
    return cutOff(complete: false)
  }

  private mutating func endMalformed() -> Event {
    phase = .resync(.malformed)
    return .end(complete: false, at: lastAt)
  }

  private mutating func readChunkSize() -> Event? {
    guard let (line, _) = readLine() else { return brokenChunk() }
    var size = 0
    var digits = 0
    for byte in line.readableBytesView {
      guard let value = JSONScan.hexValue(byte) else { break }
      size = size << 4 | Int(value)
      digits += 1
      if size > 1 << 50 { return endMalformed() }
    }
    guard digits > 0 else { return endMalformed() }
    phase = size == 0 ? .trailers : .chunkData(size)
    return step()
  }

  private mutating func readChunkEnd() -> Event? {
    guard let (line, _) = readLine() else { return brokenChunk() }
    guard line.readableBytes <= 2 else { return endMalformed() }
    phase = .chunkSize
    return step()
  }

  private mutating func readTrailers() -> Event? {
    guard let (line, _) = readLine() else {
      // The last chunk was there: a missing final CRLF loses nothing.
      return input.count == 0 && ending != nil ? cutOff(complete: true) : brokenChunk()
    }
    let text = String(buffer: line)
    guard let colon = text.utf8.firstIndex(of: 0x3a) else {
      phase = .finish
      return step()
    }
    let value = text[text.index(after: colon)...]
    return .trailers([HeaderField(String(text[..<colon]), trim(value))])
  }

  private func trim(_ text: Substring) -> String {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }

  /// How a body is framed (RFC 9112 §6.3).
  private enum Framing {
    case none
    case chunked
    case length(Int)
    case untilClose

    var phase: Phase {
      switch self {
      case .none, .length(0): .finish
      case .chunked: .chunkSize
      case .length(let count): .fixed(count)
      case .untilClose: .untilClose
      }
    }

    static func ofRequest(_ fields: [HeaderField]) -> Framing {
      if isChunked(fields) { return .chunked }
      return contentLength(fields).map(Framing.length) ?? .none
    }

    static func ofResponse(_ fields: [HeaderField], status: Int) -> Framing {
      if status == 204 || status == 304 { return .none }
      if isChunked(fields) { return .chunked }
      return contentLength(fields).map(Framing.length) ?? .untilClose
    }

    private static func isChunked(_ fields: [HeaderField]) -> Bool {
      guard let coding = fields.last(where: { $0.named("transfer-encoding") })?.value else {
        return false
      }
      let last = coding.lowercased().split(separator: ",").last ?? ""
      return last.split(whereSeparator: \.isWhitespace).first == "chunked"
    }

    /// The length when all values agree (RFC 9110 §8.6).
    private static func contentLength(_ fields: [HeaderField]) -> Int? {
      var length: Int?
      for field in fields where field.named("content-length") {
        for part in field.value.split(separator: ",") {
          let digits = part.split(whereSeparator: \.isWhitespace).first ?? ""
          guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let value = Int(digits), length == nil || length == value
          else { return nil }
          length = value
        }
      }
      return length
    }
  }
}
