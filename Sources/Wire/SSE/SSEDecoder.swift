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
  private var isFirstLine = true
  private var event: SSEEvent?
  private var blockStartedAt: Timestamp?
  private var blockBytes = 0
  private var ready = CircularBuffer<SSEEvent>(initialCapacity: 1)

  /// Creates a decoder at the beginning of a stream.
  public init() {}

  /// Appends the next bytes of the body, all of one capture time.
  public mutating func append(_ bytes: ByteBuffer, at: Timestamp) {
    let view = bytes.readableBytesView
    var from = view.startIndex
    if swallowLF, from < view.endIndex {
      swallowLF = false
      if view[from] == 0x0a { from += 1 }
    }
    var lf = -1
    var cr = -1
    while from < view.endIndex {
      if lineStartedAt == nil { lineStartedAt = at }
      if lf < from { lf = view[from...].firstIndex(of: 0x0a) ?? view.endIndex }
      if cr < from { cr = view[from...].firstIndex(of: 0x0d) ?? view.endIndex }
      let stop = min(lf, cr)
      keep(bytes, from, stop)
      guard stop < view.endIndex else { return }
      from = stop + 1
      if stop == cr {
        if from == lf { from += 1 }
        swallowLF = stop + 1 == view.endIndex
      }
      endLine(at: at)
    }
  }

  /// Says that bytes are missing here: the event they belong to is dropped, up to the next empty line.
  public mutating func gap() {
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

  private mutating func keep(_ bytes: ByteBuffer, _ from: Int, _ to: Int) {
    blockBytes += to - from
    let room = SSEDecoder.lineLimit - line.readableBytes
    if to - from > room { isLineCut = true }
    guard to > from, room > 0, let slice = bytes.getSlice(at: from, length: min(to - from, room))
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
    isFirstLine = true
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
    let view = text.readableBytesView
    guard let first = view.first else {
      if var done = event {
        done.lastByteAt = at
        ready.append(done)
      }
      endBlock()
      return
    }
    if first == 0x3a {
      var comment = SSEEvent(firstByteAt: startedAt, lastByteAt: at)
      comment.comment = String(decoding: view.dropFirst(), as: UTF8.self)
      comment.isTruncated = isCut
      ready.append(comment)
      blockBytes -= view.count
      return
    }
    let blockAt = blockStartedAt ?? startedAt
    blockStartedAt = blockAt
    let colon = view.firstIndex(of: 0x3a) ?? view.endIndex
    var valueStart = min(colon + 1, view.endIndex)
    if valueStart < view.endIndex, view[valueStart] == 0x20 { valueStart += 1 }
    guard let field = Field(view[view.startIndex..<colon]),
      let value = text.getSlice(at: valueStart, length: view.endIndex - valueStart)
    else { return }
    var block = event ?? SSEEvent(firstByteAt: blockAt, lastByteAt: at)
    event = nil
    if isCut { block.isTruncated = true }
    block.set(field, value)
    event = block
  }
}

/// The fields that mean something.
private enum Field {
  case data
  case event
  case id
  case retry

  /// Reads a name, compared with case.
  init?(_ name: ByteBufferView) {
    if name.elementsEqual("data".utf8) {
      self = .data
    } else if name.elementsEqual("id".utf8) {
      self = .id
    } else if name.elementsEqual("event".utf8) {
      self = .event
    } else if name.elementsEqual("retry".utf8) {
      self = .retry
    } else {
      return nil
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
