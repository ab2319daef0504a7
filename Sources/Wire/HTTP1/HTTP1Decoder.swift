public import Basics
public import NIOCore

/// Turns one direction of an HTTP/1.x connection into messages (RFC 9112), as an observer.
///
/// Theory: a direction is a sequence of messages: head, body framed by RFC 9112 §6.3, end. The decoder describes what it
/// sees; it enforces nothing. What it can't frame it *skips*, chunk by chunk, until one begins like a message again.
/// Inputs (bytes, gaps, the end) take effect in the order they came, however seldom `next` is called.
/// Invariant: after `end` was called and `next` returned nil, `explained` plus all `skipped` equals the bytes appended.
///
/// Phases: start → (fixed | untilClose | chunkSize ⇄ chunkData → trailers)? → finish → start; any → resync on bytes or gaps
/// that break the framing; resync → start (tentative until a head is whole); finish → tunnel after 101 or a 2xx to CONNECT.
///
/// Three kinds of wrong: appending after `end` is our bug (ignored); malformed bytes are the peer's fault (`skipped`);
/// empty lines between messages are ignored (RFC 9112 §2.2).
public struct HTTP1Decoder: Sendable {
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

    /// A body so framed is about to begin.
    init(_ framing: BodyFraming) {
      self =
        switch framing {
        case .none, .length(0): .finish
        case .chunked: .chunkSize
        case .length(let count): .fixed(count)
        case .untilClose: .untilClose
        }
    }
  }

  /// What came behind a gap that `next` has not reached yet.
  private enum Later {
    case bytes(ByteBuffer, at: Timestamp)
    case gap(Int, at: Timestamp)
  }

  /// Bytes that became part of a message so far.
  public private(set) var explained = 0
  /// Bytes that were appended and not yet looked at, or wait for more.
  public var buffered: Int { input.count }
  private let role: Role
  private var phase: Phase
  /// Why the head that is being read may be none: it began where bytes were being skipped.
  private var tentative: SkipReason?
  private var input = TimedBytes()
  private var later = CircularBuffer<Later>(initialCapacity: 1)
  private var queued = CircularBuffer<Event>(initialCapacity: 1)
  private var searched = 0
  private var ending: (how: FlowEnding, at: Timestamp)?
  private var lastAt = Timestamp(nanoseconds: 0)

  /// Creates a decoder for one direction; `fromStart` is false when the connection was joined in the middle.
  public init(role: Role, fromStart: Bool = true) {
    self.role = role
    phase = fromStart ? .start : .resync(.midstream)
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

  /// Says that the response whose head `next` just returned has no body (HEAD, RFC 9110 §6.4.1).
  public mutating func omitBody() {
    switch phase {
    case .fixed, .untilClose, .chunkSize: phase = .finish
    default: break
    }
  }

  /// Says that what follows the message is another protocol (a 2xx to CONNECT); a message under way ends here.
  public mutating func becomeTunnel() {
    switch phase {
    case .start, .resync, .tunnel: break
    default: queued.append(.end(complete: true, at: lastAt))
    }
    phase = .tunnel
  }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> Event? {
    while true {
      if let event = queued.popFirst() { return event }
      if let event = step() { return event }
      switch later.popFirst() {
      case .bytes(let bytes, let at): input.append(bytes, at: at)
      case .gap(let count, let at): cross(gap: count, at: at)
      case nil: return nil
      }
    }
  }

  /// How the direction ended, once all that came before was read.
  private var over: (how: FlowEnding, at: Timestamp)? { later.isEmpty ? ending : nil }

  private mutating func cross(gap count: Int, at: Timestamp) {
    switch phase {
    case .fixed(let left) where count <= left:
      phase = count == left ? .finish : .fixed(left - count)
      missBody(count, at)
    case .untilClose:
      missBody(count, at)
    case .chunkData(let left) where count <= left:
      phase = count == left ? .chunkEnd : .chunkData(left - count)
      missBody(count, at)
    case .tunnel: break
    case .start, .resync: breakOff(inMessage: false, at)
    default: breakOff(inMessage: true, at)
    }
  }

  private mutating func missBody(_ count: Int, _ at: Timestamp) {
    lastAt = max(lastAt, at)
    queued.append(.bodyGap(count: count, at: at))
  }

  private mutating func breakOff(inMessage: Bool, _ at: Timestamp) {
    if inMessage { queued.append(.end(complete: false, at: max(at, lastAt))) }
    if let event = giveUp(.afterGap) { queued.append(event) }
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
      guard let event = takeBody(.max) else { return cutOff(complete: over?.how == .fin) }
      return event.event
    case .chunkSize: return readChunkSize()
    case .chunkData(let left):
      guard let event = takeBody(left) else { return cutOff(complete: false) }
      phase = left == event.count ? .chunkEnd : .chunkData(left - event.count)
      return event.event
    case .chunkEnd: return readChunkEnd()
    case .trailers: return readTrailers()
    case .resync(let reason):
      if input.isAtChunkStart, isPlausibleStart {
        phase = .start
        tentative = reason
        return readHead()
      }
      return skip(input.chunkCount, reason)
    case .tunnel: return skip(input.chunkCount, .tunnel)
    }
  }

  // MARK: Heads

  private mutating func readHead() -> Event? {
    skipEmptyLines()
    guard input.count > 0 else { return nil }
    if let tentative, !isPlausibleStart {
      phase = .resync(tentative)
      searched = 0
      return skip(input.chunkCount, tentative)
    }
    guard let length = headLength() else {
      if input.count > HTTP1Decoder.headLimit { return giveUp(.headTooLong) }
      return over == nil ? nil : giveUp(.incompleteHead)
    }
    guard length <= HTTP1Decoder.headLimit else { return giveUp(.headTooLong) }
    searched = 0
    let firstByteAt = input.time
    let (bytes, at) = input.take(length)
    guard let event = readHead(bytes.readableBytesUInt8Span, firstByteAt, at) else {
      let reason = tentative ?? .malformed
      phase = .resync(reason)
      let rest = input.take(input.isAtChunkStart ? 0 : input.chunkCount)
      return .skipped(bytes: length + rest.bytes.readableBytes, reason, at: max(at, rest.at))
    }
    explained += length
    tentative = nil
    lastAt = at
    return event
  }

  private mutating func readHead(
    _ bytes: Span<UInt8>, _ firstByteAt: Timestamp, _ at: Timestamp
  ) -> Event? {
    if role == .request {
      guard let head = HTTP1Head.request(bytes) else { return nil }
      phase = Phase(BodyFraming.ofRequest(head.fields))
      return .request(
        HTTPRequestHead(
          method: head.method, target: head.target, fields: head.fields,
          firstByteAt: firstByteAt, endAt: at))
    }
    guard let head = HTTP1Head.response(bytes) else { return nil }
    let response = HTTPResponseHead(
      status: head.status, fields: head.fields, firstByteAt: firstByteAt, endAt: at)
    if response.isInterim {
      phase = .start
    } else if head.status == 101 {
      phase = .tunnel
      queued.append(.end(complete: true, at: at))
    } else {
      phase = Phase(BodyFraming.ofResponse(head.fields, status: head.status))
    }
    return .response(response)
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
    var from = searched
    while let lf = ByteScan.firstIndex(of: 0x0a, in: span, from: from) {
      from = lf + 1
      let next = from < span.count && span[from] == 0x0d ? from + 1 : from
      if next < span.count, span[next] == 0x0a { return next + 1 }
    }
    searched = max(0, span.count - 2)
    return nil
  }

  private var isPlausibleStart: Bool {
    let bytes = input.bytes
    return HTTP1Head.isPlausibleStart(bytes.readableBytesUInt8Span, request: role == .request)
  }

  // MARK: Bodies

  private mutating func takeBody(_ limit: Int) -> (event: Event, count: Int)? {
    guard input.count > 0 else { return nil }
    let count = min(limit, input.chunkCount)
    let (bytes, at) = input.take(count)
    explained += count
    lastAt = max(lastAt, at)
    return (.body(bytes, at: at), count)
  }

  /// Takes one line with its LF; `nil` when it is not there yet.
  private mutating func readLine() -> ByteBuffer? {
    let unread = input.bytes
    let lf = ByteScan.firstIndex(of: 0x0a, in: unread.readableBytesUInt8Span, from: 0)
    guard let lf, lf < HTTP1Decoder.chunkLineLimit else { return nil }
    let (bytes, at) = input.take(lf + 1)
    explained += bytes.readableBytes
    lastAt = max(lastAt, at)
    return bytes
  }

  private mutating func readChunkSize() -> Event? {
    guard let line = readLine() else { return lacksLine(complete: false) }
    guard let size = ChunkSize.read(line) else { return loseFraming() }
    phase = size == 0 ? .trailers : .chunkData(size)
    return step()
  }

  private mutating func readChunkEnd() -> Event? {
    guard let line = readLine() else { return lacksLine(complete: false) }
    guard ChunkSize.isEmptyLine(line) else { return loseFraming() }
    phase = .chunkSize
    return readChunkSize()
  }

  private mutating func readTrailers() -> Event? {
    while true {
      // A next message without the empty line before it: some servers forget that.
      if isPlausibleStart, input.bytes.readableBytesView.contains(0x0a) {
        phase = .finish
        return step()
      }
      guard let line = readLine() else {
        // The last chunk was there: a missing final line end loses nothing.
        return lacksLine(complete: input.bytes.readableBytesView.allSatisfy { $0 == 0x0d })
      }
      if ChunkSize.isEmptyLine(line) {
        phase = .finish
        return step()
      }
      let fields = HTTP1Head.fields(line.readableBytesUInt8Span, from: 0)
      if !fields.isEmpty { return .trailers(fields) }
    }
  }

  // MARK: What can't be framed

  /// A line of chunk framing is not there: not yet, never, or it is too long to be one.
  private mutating func lacksLine(complete: Bool) -> Event? {
    if input.count >= HTTP1Decoder.chunkLineLimit { return loseFraming() }
    guard over != nil else { return nil }
    let (rest, at) = input.take(input.count)
    explained += rest.readableBytes
    lastAt = max(lastAt, at)
    return cutOff(complete: complete)
  }

  /// The direction is over in the middle of a message.
  private mutating func cutOff(complete: Bool) -> Event? {
    guard let over else { return nil }
    phase = .start
    return .end(complete: complete, at: max(over.at, lastAt))
  }

  /// The message under way can't be followed any further.
  private mutating func loseFraming() -> Event {
    phase = .resync(.malformed)
    let rest = input.isAtChunkStart ? 0 : input.chunkCount
    if let event = skip(rest, .malformed) { queued.append(event) }
    return .end(complete: false, at: lastAt)
  }

  /// Skips all that is there and looks for the next message.
  private mutating func giveUp(_ reason: SkipReason) -> Event? {
    phase = .resync(reason)
    searched = 0
    return skip(input.count, tentative ?? reason)
  }

  private mutating func skip(_ count: Int, _ reason: SkipReason) -> Event? {
    guard count > 0 else { return nil }
    let (bytes, at) = input.take(count)
    return .skipped(bytes: bytes.readableBytes, reason, at: at)
  }
}
