public import Basics
public import NIOCore

/// One block of an event stream.
public struct SSEEvent: Hashable, Sendable {
  /// `event` field; `nil` means `message`.
  public var name: String?
  /// `id` field of this block.
  public var id: String?
  /// `retry` field, milliseconds.
  public var retry: Int?
  /// `data` lines joined by LF; `nil` when the block had none.
  public var data: ByteBuffer?
  /// Text of a comment line; comments come as events of their own, at once.
  public var comment: String?
  /// Capture time of the block's first byte.
  public var firstByteAt: Timestamp
  /// Capture time of the byte that completed it.
  public var lastByteAt: Timestamp

  /// Creates an empty block.
  public init(firstByteAt: Timestamp, lastByteAt: Timestamp) {
    self.firstByteAt = firstByteAt
    self.lastByteAt = lastByteAt
  }
}

/// Turns the body of `text/event-stream` into events (WHATWG HTML §9.2.6), with times.
///
/// Theory: lines end in CRLF, LF or CR; an empty line dispatches. A CR completes its line at once, an LF right behind it is
/// swallowed, so that an event's time never waits for the next segment. Blocks without data are events too (MCP's
/// priming events have an id and empty data). Comments are reported as they come.
public struct SSEDecoder: Sendable {
  /// Longest line that is kept: the payload limit.
  public static let lineLimit = 16 << 20

  /// Bytes of a block that was not complete when the stream ended.
  public private(set) var incomplete = 0

  private var line = ByteBuffer()
  private var swallowLF = false
  private var isBroken = false
  private var isFirstLine = true
  private var event: SSEEvent?
  private var lineStartedAt: Timestamp?
  private var blockBytes = 0
  private var ready: [SSEEvent] = []
  private var readyFrom = 0

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
    while from < view.endIndex {
      if lineStartedAt == nil { lineStartedAt = at }
      guard let at10 = view[from...].firstIndex(where: { $0 == 0x0a || $0 == 0x0d }) else {
        keep(bytes, from, view.endIndex)
        return
      }
      keep(bytes, from, at10)
      from = at10 + 1
      if view[at10] == 0x0d {
        if from < view.endIndex {
          if view[from] == 0x0a { from += 1 }
        } else {
          swallowLF = true
        }
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
    event = nil
    // The LF may belong to a CR that is missing.
    swallowLF = true
    isBroken = true
    isFirstLine = false
  }

  private mutating func keep(_ bytes: ByteBuffer, _ from: Int, _ to: Int) {
    blockBytes += to - from
    guard line.readableBytes + to - from <= SSEDecoder.lineLimit,
      let slice = bytes.getSlice(at: from, length: to - from)
    else { return }
    if line.readableBytes == 0 { line = slice } else { line.writeImmutableBuffer(slice) }
  }

  /// Says that the stream is over; what was not dispatched is counted in `incomplete`.
  public mutating func end() {
    incomplete += blockBytes
    blockBytes = 0
    line = ByteBuffer()
    event = nil
  }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> SSEEvent? {
    guard readyFrom < ready.count else {
      ready.removeAll(keepingCapacity: true)
      readyFrom = 0
      return nil
    }
    readyFrom += 1
    return ready[readyFrom - 1]
  }

  private mutating func endLine(at: Timestamp) {
    let startedAt = lineStartedAt ?? at
    lineStartedAt = nil
    var text = line
    line = ByteBuffer()
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
      }
    }
    let view = text.readableBytesView
    guard let first = view.first else {
      if var done = event {
        done.lastByteAt = at
        ready.append(done)
      }
      event = nil
      blockBytes = 0
      return
    }
    if first == 0x3a {
      var comment = SSEEvent(firstByteAt: startedAt, lastByteAt: at)
      comment.comment = String(decoding: view.dropFirst(), as: UTF8.self)
      ready.append(comment)
      if event == nil { blockBytes = 0 }
      return
    }
    let colon = view.firstIndex(of: 0x3a) ?? view.endIndex
    var valueStart = min(colon + 1, view.endIndex)
    if valueStart < view.endIndex, view[valueStart] == 0x20 { valueStart += 1 }
    var block = event ?? SSEEvent(firstByteAt: startedAt, lastByteAt: at)
    let value = text.getSlice(at: valueStart, length: view.endIndex - valueStart) ?? ByteBuffer()
    switch String(decoding: view[view.startIndex..<colon], as: UTF8.self) {
    case "data":
      if block.data == nil {
        block.data = value
      } else {
        block.data?.writeInteger(UInt8(ascii: "\n"))
        block.data?.writeImmutableBuffer(value)
      }
    case "event": block.name = String(buffer: value)
    case "id": if !value.readableBytesView.contains(0) { block.id = String(buffer: value) }
    case "retry":
      let digits = value.readableBytesView.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
      if digits { block.retry = Int(String(buffer: value)) }
    default: break
    }
    event = block
  }
}
