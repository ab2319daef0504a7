public import Basics
public import NIOCore

/// Turns the bytes of a trace into events, line by line, without I/O.
///
/// Theory: JSON Lines; the first line must be a header of version 1. A last line without a line end is read when
/// it is whole and otherwise reported as a torn tail, not as an error (the recorder may have been killed).
/// A later segment's header may follow in a concatenated file.
public struct TraceDecoder: Sendable {
  /// Longest line: the largest payload kept (16 MiB) as base64, twice, and its frame.
  public static let lineLimit = 64 << 20

  /// Bytes behind the last whole line, once `end()` was called and they made no line.
  public private(set) var tornTail = 0
  /// Number of the line that `next()` returned last, from 1.
  public private(set) var line = 0
  /// The text of the line that `next()` returned or rejected last; `nil` when that was no JSON.
  public private(set) var text: RawJSON?
  /// Byte offset of that line.
  public private(set) var offset = 0

  private var buffer = ByteBuffer()
  private var searched = 0
  private var nextOffset = 0
  private var ended = false
  private var seenHeader = false

  /// Creates a decoder at the beginning of a file.
  public init() {}

  /// Appends the next bytes of the file.
  public mutating func append(_ bytes: ByteBuffer) {
    var bytes = bytes
    buffer.discardReadBytes()
    buffer.writeBuffer(&bytes)
  }

  /// Says that the file has ended; then drain `next()`.
  public mutating func end() { ended = true }

  /// Returns the next event, or `nil` when more bytes are needed (or none are left).
  ///
  /// - Throws: `TraceFormatError` with the line's number and offset; the line is consumed, reading may go on.
  public mutating func next() throws(TraceFormatError) -> TraceEvent? {
    while let length = nextLineLength() {
      let hasEnd = length < buffer.readableBytes
      guard let slice = buffer.readSlice(length: length) else { return nil }
      if hasEnd { buffer.moveReaderIndex(forwardBy: 1) }
      searched = 0
      line += 1
      offset = nextOffset
      nextOffset += length + (hasEnd ? 1 : 0)
      if slice.readableBytesUInt8Span.isEmpty { continue }
      text = RawJSON(validating: slice)
      guard let raw = text else {
        if !hasEnd {
          tornTail = length
          return nil
        }
        throw TraceFormatError(seenHeader ? .notJSON : .notATrace, line: line, offset: offset)
      }
      do throws(TraceFormatError) {
        let event = try TraceEvent(line: raw)
        if !seenHeader {
          guard case .header = event else { throw TraceFormatError(.notATrace) }
          seenHeader = true
        }
        return event
      } catch {
        let reason = seenHeader || error.reason.isVersion ? error.reason : .notATrace
        throw TraceFormatError(reason, line: line, offset: offset)
      }
    }
    if buffer.readableBytes > TraceDecoder.lineLimit {
      throw TraceFormatError(.lineTooLong, line: line + 1, offset: nextOffset)
    }
    return nil
  }

  private mutating func nextLineLength() -> Int? {
    let view = buffer.readableBytesView
    if let at = view.dropFirst(searched).firstIndex(of: 0x0a) { return at - view.startIndex }
    searched = view.count
    return ended && !view.isEmpty ? view.count : nil
  }
}

extension TraceFormatError.Reason {
  var isVersion: Bool { if case .laterVersion = self { true } else { false } }
}
