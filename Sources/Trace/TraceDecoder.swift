public import Basics
public import NIOCore

/// Turns the bytes of a trace into events, line by line, without I/O.
///
/// Theory: JSON Lines; the first line must be a header of version 1. A last line without a line end is read when
/// it is whole and otherwise reported as a torn tail, not as an error (the recorder may have been killed). Lines of
/// nothing but white space are ignored. A file without a header, be it empty, is not a trace.
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
  /// Bytes of that line, without its end.
  public private(set) var length = 0

  private var buffer = ByteBuffer()
  private var searched = 0
  private var nextOffset = 0
  private var ended = false
  private var seenHeader = false
  /// Inside a line that was reported as too long.
  private var isLong = false

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
    while passLongLine(), let length = nextLineLength() {
      let hasEnd = length < buffer.readableBytes
      guard let slice = buffer.readSlice(length: length) else { return nil }
      if hasEnd { buffer.moveReaderIndex(forwardBy: 1) }
      searched = 0
      line += 1
      offset = nextOffset
      self.length = length
      nextOffset += length + (hasEnd ? 1 : 0)
      guard length <= TraceDecoder.lineLimit else { throw here(.lineTooLong) }
      let span = slice.readableSpan
      if JSONScan.skipSpace(span, 0) == span.count { continue }
      text = RawJSON(validating: slice)
      guard let raw = text else {
        if !hasEnd, seenHeader {
          tornTail = length
          return nil
        }
        throw here(seenHeader ? .notJSON : .notATrace)
      }
      return try read(raw)
    }
    if !isLong, buffer.readableBytes > TraceDecoder.lineLimit {
      line += 1
      offset = nextOffset
      isLong = true
      throw here(.lineTooLong)
    }
    if ended, line == 0 {
      line = 1
      throw here(.notATrace)
    }
    return nil
  }

  private mutating func read(_ raw: RawJSON) throws(TraceFormatError) -> TraceEvent {
    do throws(TraceFormatError) {
      let event = try TraceEvent(line: raw)
      if case .header = event { seenHeader = true }
      guard seenHeader else { throw TraceFormatError(.notATrace) }
      return event
    } catch {
      // What a header of this format says wrong is worth telling; any other first line is another format's.
      let isTold = seenHeader || raw.member("format")?.string == "mcptrace"
      throw here(isTold ? error.reason : .notATrace)
    }
  }

  private func here(_ reason: TraceFormatError.Reason) -> TraceFormatError {
    TraceFormatError(reason, line: line, offset: offset)
  }

  /// Drops what there is of a line that was too long; false while its end is not there.
  private mutating func passLongLine() -> Bool {
    guard isLong else { return true }
    let end = ByteScan.firstIndex(of: 0x0a, in: buffer.readableSpan, from: 0)
    let count = end.map { $0 + 1 } ?? buffer.readableBytes
    nextOffset += count
    buffer.moveReaderIndex(forwardBy: count)
    buffer.discardReadBytes()
    searched = 0
    isLong = end == nil
    return !isLong
  }

  private mutating func nextLineLength() -> Int? {
    let unread = buffer
    let span = unread.readableSpan
    if let end = ByteScan.firstIndex(of: 0x0a, in: span, from: searched) { return end }
    let count = span.count
    searched = count
    return ended && count > 0 ? count : nil
  }
}
