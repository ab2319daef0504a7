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
  private var ready = CircularBuffer<SSEEvent>(initialCapacity: 1)

  /// Creates a decoder at the beginning of a stream.
  public init() {}

  /// Appends the next bytes of the body, all of one capture time.
  public mutating func append(_ bytes: ByteBuffer, at: Timestamp) {
    let span = bytes.readableBytesUInt8Span
    var from = 0
    if swallowLF, from < span.count {
      swallowLF = false
      if span[from] == 0x0a { from += 1 }
    }
    while from < span.count {
      if lineStartedAt == nil { lineStartedAt = at }
      let stop = ByteScan.firstIndex(of: 0x0a, or: 0x0d, in: span, from: from)
      keep(bytes, from, stop ?? span.count)
      guard let stop else { return }
      from = stop + 1
      if span[stop] == 0x0d {
        swallowLF = from == span.count
        if !swallowLF, span[from] == 0x0a { from += 1 }
      }
      endLine(at: at)
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
    guard let colon = line.indices.first(where: { line[$0] == 0x3a }), colon > 0,
      let field = Field(line, colon)
    else { return false }
    return !isInside || field == .event
  }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> SSEEvent? { ready.popFirst() }

  private mutating func endBlock() {
    event = nil
    blockStartedAt = nil
    blockBytes = 0
  }

  private mutating func endLine(at: Timestamp) {
    let startedAt = lineStartedAt ?? at
    lineStartedAt = nil
    var text = line
    line = ByteBuffer()
    let isCut = isLineCut
    isLineCut = false
    if isBehindGap {
      isBehindGap = false
      isBroken = !SSEDecoder.beginsBlock(text.readableBytesUInt8Span, isInside: isGapInside)
    }
    if isBroken {
      incomplete += blockBytes
      blockBytes = 0
      if text.readableBytes == 0 { isBroken = false }
      return
    }
    if isFirstLine {
      isFirstLine = false
      if text.readableBytesView.starts(with: [0xef, 0xbb, 0xbf]) {
        text.moveReaderIndex(forwardBy: 3)
        blockBytes -= 3
      }
    }
    let span = text.readableBytesUInt8Span
    if span.isEmpty {
      if var done = event {
        done.lastByteAt = at
        ready.append(done)
      }
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
    let colon = span.indices.first { span[$0] == 0x3a } ?? span.count
    guard let field = Field(span, colon) else { return }
    var start = min(colon + 1, span.count)
    if start < span.count, span[start] == 0x20 { start += 1 }
    let value = text.getSlice(at: text.readerIndex + start, length: span.count - start)
    var block = event ?? SSEEvent(firstByteAt: blockAt, lastByteAt: at)
    event = nil
    if isCut { block.isTruncated = true }
    block.set(field, value ?? ByteBuffer())
    event = block
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
  fileprivate mutating func set(_ field: Field, _ value: ByteBuffer) {
    switch field {
    case .data: appendData(value)
    case .event: name = value.readableBytes == 0 ? nil : String(buffer: value)
    case .id: if !value.readableBytesView.contains(0) { id = String(buffer: value) }
    case .retry:
      if value.readableBytesView.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
        retry = Int(String(buffer: value)) ?? retry
      }
    }
  }

  private mutating func appendData(_ value: ByteBuffer) {
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
