public import Basics
public import NIOCore

/// Turns the body of `text/event-stream` into events (WHATWG HTML §9.2.6), with times.
///
/// Theory: lines end in CRLF, LF or CR; an empty line dispatches. A CR completes its line at once, an LF right behind it is
/// swallowed, so that an event's time never waits for the next segment. Blocks without data are events too (MCP's
/// priming events have an id and empty data). Comments are reported as they come.
///
/// Invariant: events and times do not depend on how the bytes were cut into chunks of one time each.
///
/// Three kinds of wrong: appending after `end` is our bug (it begins a new stream); lines and data beyond the limit are
/// the peer's fault (cut, and the event says so); unknown fields, bad `retry` and ids with NUL are ignored.
public struct SSEDecoder: Sendable {
  /// Longest line, and longest data of one event, that are kept: the payload limit.
  public static let lineLimit = 16 << 20

  /// Bytes of a block's lines that was not complete when the stream ended.
  public private(set) var incomplete = 0

  private var line = ByteBuffer()
  private var isLineCut = false
  private var lineStartedAt: Timestamp?
  private var swallowLF = false
  private var isBroken = false
  /// True up to the end of the first line behind a gap.
  private var isBehindGap = false
  /// True when that gap began inside an event.
  private var isGapInside = false
  private var isFirstLine = true
  private var event: SSEEvent?
  private var blockStartedAt: Timestamp?
  private var blockBytes = 0
  /// Events that wait, the first of them at `taken`.
  private var ready: [SSEEvent] = []
  private var taken = 0

  /// Creates a decoder at the beginning of a stream.
  public init() {}

  /// Appends the next bytes of the body, all of one capture time.
  public mutating func append(_ bytes: ByteBuffer, at: Timestamp) {
    let span = bytes.readableSpan
    var from = 0
    if swallowLF, from < span.count {
      swallowLF = false
      if span[from] == 0x0a { from += 1 }
    }
    // Where the next of either stands, so that every byte is passed once for each; most streams have one kind alone.
    var (lf, cr) = (-1, -1)
    while from < span.count {
      if lf < from { lf = ByteScan.firstIndex(of: 0x0a, in: span, from: from) ?? span.count }
      if cr < from { cr = ByteScan.firstIndex(of: 0x0d, in: span, from: from) ?? span.count }
      let next = min(lf, cr)
      let stop = next < span.count ? next : nil
      let start = from
      if let stop {
        from = stop + 1
        if span[stop] == 0x0d {
          swallowLF = from == span.count
          if !swallowLF, span[from] == 0x0a { from += 1 }
        }
        if lineStartedAt == nil, stop - start <= SSEDecoder.lineLimit {
          // A line that one chunk has whole is read where it lies.
          blockBytes += stop - start
          endLine(bytes, start..<stop, startedAt: at, isCut: false, at: at)
          continue
        }
      }
      let startedAt = lineStartedAt ?? at
      lineStartedAt = startedAt
      keep(bytes, start, stop ?? span.count)
      guard stop != nil else { return }
      let text = line
      let isCut = isLineCut
      line = ByteBuffer()
      lineStartedAt = nil
      isLineCut = false
      endLine(text, 0..<text.readableBytes, startedAt: startedAt, isCut: isCut, at: at)
    }
  }

  /// Says that bytes are missing here: the event they belong to is dropped, up to the next empty line. A gap that
  /// begins behind an event and ends at a field is taken to end at an event, as senders write events whole; one that
  /// begins inside an event, where it ends at the field that comes first in all events that have it (`event`).
  public mutating func gap() {
    let isBetween = event == nil && line.readableBytes == 0 && lineStartedAt == nil
    isGapInside = !isBetween || (isBroken && (isGapInside || !isBehindGap))
    isBehindGap = true
    incomplete += blockBytes
    blockBytes = 0
    line = ByteBuffer()
    lineStartedAt = nil
    isLineCut = false
    event = nil
    blockStartedAt = nil
    // The LF may belong to a CR that is missing.
    swallowLF = true
    isBroken = true
    isFirstLine = false
  }

  /// Says that bytes are missing here, and that an event begins behind them: only the one under way is dropped.
  public mutating func restart() {
    gap()
    swallowLF = false
    isBroken = false
  }

  /// Copies what waits for its end, so that it does not keep the much larger buffer that brought it.
  public mutating func own() {
    line.own()
    event?.data?.own()
  }

  /// True when no event has begun.
  public var isBetweenEvents: Bool { blockBytes == 0 && line.readableBytes == 0 }

  private mutating func keep(_ bytes: ByteBuffer, _ from: Int, _ to: Int) {
    blockBytes += to - from
    let room = SSEDecoder.lineLimit - line.readableBytes
    if to - from > room { isLineCut = true }
    guard to > from, room > 0,
      let slice = bytes.getSlice(at: bytes.readerIndex + from, length: min(to - from, room))
    else { return }
    if line.readableBytes == 0 { line = slice } else { line.writeImmutableBuffer(slice) }
  }

  /// Says that the stream is over; what was not dispatched is counted in `incomplete`.
  public mutating func end() {
    incomplete += blockBytes
    endBlock()
    line = ByteBuffer()
    isLineCut = false
    lineStartedAt = nil
    swallowLF = false
    isBroken = false
    isBehindGap = false
    isFirstLine = true
  }

  /// Whether a line behind a gap is taken to be the first of an event.
  private static func beginsBlock(_ line: Span<UInt8>, isInside: Bool) -> Bool {
    guard let colon = ByteScan.firstIndex(of: 0x3a, in: line, from: 0), colon > 0,
      let field = Field(line, colon)
    else { return false }
    return !isInside || field == .event
  }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> SSEEvent? {
    guard taken + 1 < ready.count else {
      // The last, nearly always the only one, goes without a copy.
      taken = 0
      guard let last = ready.popLast() else { return nil }
      ready.removeAll(keepingCapacity: true)
      return last
    }
    taken += 1
    return ready[taken - 1]
  }

  private mutating func endBlock() {
    event = nil
    blockStartedAt = nil
    blockBytes = 0
  }

  /// Takes the line that lies in a part of `bytes`.
  private mutating func endLine(
    _ bytes: ByteBuffer, _ range: Range<Int>, startedAt: Timestamp, isCut: Bool, at: Timestamp
  ) {
    var span = bytes.readableSpan.extracting(range)
    var first = range.lowerBound
    if isBehindGap {
      isBehindGap = false
      isBroken = !SSEDecoder.beginsBlock(span, isInside: isGapInside)
    }
    if isBroken {
      incomplete += blockBytes
      blockBytes = 0
      if span.isEmpty { isBroken = false }
      return
    }
    if isFirstLine {
      isFirstLine = false
      if span.count >= 3, span[0] == 0xef, span[1] == 0xbb, span[2] == 0xbf {
        span = span.extracting(3..<span.count)
        first += 3
        blockBytes -= 3
      }
    }
    if span.isEmpty {
      dispatch(at: at)
      endBlock()
      return
    }
    if span[0] == 0x3a {
      var comment = SSEEvent(firstByteAt: startedAt, lastByteAt: at)
      comment.comment = ByteScan.string(span, 1..<span.count)
      comment.isTruncated = isCut
      ready.append(comment)
      blockBytes -= span.count
      return
    }
    let blockAt = blockStartedAt ?? startedAt
    blockStartedAt = blockAt
    let colon = ByteScan.firstIndex(of: 0x3a, in: span, from: 0) ?? span.count
    guard let field = Field(span, colon) else { return }
    var start = min(colon + 1, span.count)
    if start < span.count, span[start] == 0x20 { start += 1 }
    if case .none = event { event = SSEEvent(firstByteAt: blockAt, lastByteAt: at) }
    if isCut { event?.isTruncated = true }
    let value = start..<span.count
    switch field {
    case .data:
      let index = bytes.readerIndex + first + start
      if let data = bytes.getSlice(at: index, length: value.count) { event?.appendData(data) }
    case .event: event?.name = value.isEmpty ? nil : ByteScan.string(span, value)
    case .id:
      if ByteScan.firstIndex(of: 0, in: span, from: start) == nil {
        event?.id = ByteScan.string(span, value)
      }
    case .retry:
      if value.allSatisfy({ span[$0] >= 0x30 && span[$0] <= 0x39 }),
        let retry = Int(ByteScan.string(span, value))
      {
        event?.retry = retry
      }
    }
  }

  /// The block is over: it is an event, when it had fields.
  private mutating func dispatch(at: Timestamp) {
    event?.lastByteAt = at
    if let done = event.take() { ready.append(done) }
  }
}

/// The fields that mean something.
private enum Field {
  case data
  case event
  case id
  case retry

  /// Reads the name in the first `count` bytes of a line, compared with case.
  init?(_ line: Span<UInt8>, _ count: Int) {
    guard count <= 5 else { return nil }
    var letters: UInt64 = 0
    for i in 0..<count { letters = letters << 8 | UInt64(line[i]) }
    switch (count, letters) {
    case (4, 0x6461_7461): self = .data
    case (5, 0x65_7665_6e74): self = .event
    case (2, 0x6964): self = .id
    case (5, 0x72_6574_7279): self = .retry
    default: return nil
    }
  }
}

extension SSEEvent {
  /// Adds a line of data.
  fileprivate mutating func appendData(_ value: ByteBuffer) {
    guard let soFar = data?.readableBytes else {
      data = value
      return
    }
    let room = SSEDecoder.lineLimit - soFar - 1
    if value.readableBytes > room { isTruncated = true }
    guard room >= 0 else { return }
    data?.writeInteger(UInt8(ascii: "\n"))
    if let part = value.getSlice(at: value.readerIndex, length: min(room, value.readableBytes)) {
      data?.writeImmutableBuffer(part)
    }
  }
}
