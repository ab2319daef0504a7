public import Basics
public import NIOCore

/// Turns one direction of an HTTP/1.x connection into messages (RFC 9112), as an observer.
///
/// Theory: a direction is a sequence of messages: head, body framed by RFC 9112 §6.3, end. The decoder describes what it
/// sees; it enforces nothing. What it can't frame it *skips*, up to where a message begins again (`MessageSearch`).
/// Inputs (bytes, gaps, the end) take effect in the order they came, however seldom `next` is called.
/// Invariant: after `end` was called and `next` returned nil, `explained`, all `skipped` and all `tunnel` equal the bytes
/// appended; and what is said does not depend on how the bytes were cut
/// (but for what `MessageSearch` believes).
///
/// Phases: start → (fixed | untilClose | chunkSize ⇄ chunkData → trailers)? → finish → start. A gap that breaks chunk framing
/// → chunkSearch → chunkSize | resync; gaps and bytes that break any other → resync → start. finish → tunnel after
/// 101 or a 2xx to CONNECT.
///
/// Three kinds of wrong: appending after `end` is our bug (ignored); malformed bytes are the peer's fault (`skipped`);
/// empty lines between messages are ignored (RFC 9112 §2.2).
public struct HTTP1Decoder: Sendable {
  /// Longest head that is read (nginx and haproxy stop at 32 KiB, Node at 16 KiB).
  public static let headLimit = 64 << 10
  static let chunkLineLimit = 4096

  enum Phase: Hashable {
    case start
    case fixed(Int)
    case untilClose
    case chunkSize(isFirst: Bool)
    case chunkData(Int)
    case chunkEnd
    /// The framing was lost; `isEdge` before the first byte behind the gap.
    case chunkSearch(isEdge: Bool)
    case trailers
    case finish
    case resync(SkipReason)
    case tunnel

    /// A body so framed is about to begin.
    init(_ framing: BodyFraming) {
      self =
        switch framing {
        case .none, .length(0): .finish
        case .chunked: .chunkSize(isFirst: true)
        case .length(let count): .fixed(count)
        case .untilClose: .untilClose
        }
    }
  }

  /// What came behind a gap that `next` has not reached yet.
  private enum Later {
    case bytes(ByteBuffer, at: Timestamp)
    case gap(Int, at: Timestamp, endsMessage: Bool)
  }

  /// Bytes that became part of a message so far.
  public internal(set) var explained = 0
  /// Gaps that `next` has reached so far behind which whole messages may be missing.
  public private(set) var holes = 0
  /// Bytes that were appended and not yet looked at, or wait for more.
  public var buffered: Int { input.count }
  /// Capture time of the next byte (or hole) that `next` looks at; `nil` when there is none.
  public var nextAt: Timestamp? {
    if input.count > 0 { return input.time }
    return switch later.first {
    case .bytes(_, let at), .gap(_, let at, _): at
    case nil: nil
    }
  }
  let role: Role
  var phase: Phase
  var input = TimedBytes()
  var queued = CircularBuffer<Event>(initialCapacity: 1)
  /// Bytes of the head that is waited for that hold no end of it.
  var searched = 0
  /// True once the start line of the head that is waited for was seen.
  var isStarted = false
  var memo = HeadMemo()
  /// Bytes that must be there before a search is worth it.
  var needed = 0
  /// What frames the body when it turns out not to be chunked.
  var unchunked = BodyFraming.none
  /// True when the last message said that nothing follows it.
  var isLast = false
  var lastAt = Timestamp(nanoseconds: 0)
  private var later = CircularBuffer<Later>(initialCapacity: 1)
  private var ending: (how: FlowEnding, at: Timestamp)?

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

  /// Says that `count` bytes of the stream are missing here. `endsMessage` when the message before the gap is known not
  /// to go on behind it; that matters where its framing can't tell.
  public mutating func gap(_ count: Int, at: Timestamp, endsMessage: Bool = false) {
    if ending == nil, count > 0 { later.append(.gap(count, at: at, endsMessage: endsMessage)) }
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

  /// Forgets what only makes reading faster.
  public mutating func rest() { memo.forget() }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  public mutating func own() {
    input.own()
    for i in later.indices {
      guard case .bytes(var bytes, let at) = later[i] else { continue }
      bytes.own()
      later[i] = .bytes(bytes, at: at)
    }
  }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> Event? {
    while true {
      if let event = queued.popFirst() { return event }
      if let event = step() { return event }
      switch later.popFirst() {
      case .bytes(let bytes, let at): input.append(bytes, at: at)
      case .gap(let count, let at, let ends): cross(gap: count, at: at, endsMessage: ends)
      case nil: return nil
      }
    }
  }

  /// Whether a hole of `count` bytes lies inside the body of the message under way, so that no other message lacks any.
  public func isInBody(_ count: Int) -> Bool {
    later.isEmpty && input.count == 0 && isInside(count)
  }

  private func isInside(_ count: Int) -> Bool {
    switch phase {
    case .fixed(let left), .chunkData(let left): count <= left
    case .untilClose: true
    default: false
    }
  }

  /// How the direction ended, once all that came before was read.
  var over: (how: FlowEnding, at: Timestamp)? { later.isEmpty ? ending : nil }

  /// True when no more bytes come right behind those that are there.
  var isCutOff: Bool {
    switch later.first {
    case .gap: true
    case .bytes: false
    case nil: ending != nil
    }
  }

  private mutating func cross(gap count: Int, at: Timestamp, endsMessage: Bool) {
    needed = 0
    if !isInside(count) { holes += 1 }
    switch phase {
    case .fixed(let left) where count <= left:
      phase = count == left ? .finish : .fixed(left - count)
      missBody(count, at)
    case .untilClose:
      missBody(count, at)
    case .chunkData(let left) where count <= left:
      phase = count == left ? .chunkEnd : .chunkData(left - count)
      missBody(count, at)
    case .chunkSize where !endsMessage, .chunkData where !endsMessage,
      .chunkEnd where !endsMessage, .chunkSearch where !endsMessage:
      let (line, _) = input.take(input.count)
      explained += line.readableBytes
      phase = .chunkSearch(isEdge: true)
      missBody(count, at)
    case .trailers:
      let isWhole = input.bytes.readableBytesView.allSatisfy { $0 == 0x0d }
      explained += input.take(input.count).bytes.readableBytes
      queued.append(.end(complete: isWhole, at: lastAt))
      phase = .resync(.afterGap)
    case .tunnel:
      queued.append(.tunnelGap(count: count, at: at))
    case .start, .resync:
      breakHead(at)
    case .fixed, .chunkSize, .chunkData, .chunkEnd, .chunkSearch, .finish:
      explained += input.take(input.count).bytes.readableBytes
      queued.append(.end(complete: false, at: max(at, lastAt)))
      phase = .resync(.afterGap)
    }
  }

  private mutating func breakHead(_ at: Timestamp) {
    if let event = cutHead(at) {
      queued.prepend(event)
    } else if let event = skip(input.count, .afterGap) {
      queued.append(event)
    }
    searched = 0
    isStarted = false
    phase = .resync(.afterGap)
  }

  private mutating func missBody(_ count: Int, _ at: Timestamp) {
    lastAt = max(lastAt, at)
    queued.append(.bodyGap(count: count, at: at))
  }

  mutating func step() -> Event? {
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
    case .chunkSize(let isFirst): return readChunkSize(isFirst: isFirst)
    case .chunkData(let left):
      guard let event = takeBody(left) else { return cutOff(complete: false) }
      phase = left == event.count ? .chunkEnd : .chunkData(left - event.count)
      return event.event
    case .chunkEnd: return readChunkEnd()
    case .chunkSearch(let isEdge): return searchChunk(isEdge: isEdge)
    case .trailers: return readTrailers()
    case .resync(let reason): return search(reason)
    case .tunnel:
      guard input.count > 0 else { return nil }
      let (bytes, at) = input.take(input.chunkCount)
      return .tunnel(bytes, at: at)
    }
  }

}
