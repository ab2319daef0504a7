public import Basics

/// Reads a trace file event by event, in chunks; memory does not grow with the file.
///
/// A file that begins as zstd does is decompressed, whatever its name.
public final class TraceReader {
  /// Bytes of the file behind the last whole line or, in a compressed file, the last whole frame; after the last event.
  public var tornTail: Int { max(decoder.tornTail, input.cutOff) }
  /// Number of the line that was returned last, from 1; after the last event one that was cut off counts.
  public var line: Int { decoder.line + (input.cutOff > 0 && decoder.tornTail == 0 ? 1 : 0) }
  /// Byte offset of that line in the decompressed text.
  public var offset: Int { decoder.offset }
  /// Bytes of that line, without its end.
  public var length: Int { decoder.length }
  /// The text of the line that was returned or rejected last; `nil` when that was no JSON.
  public var text: RawJSON? { decoder.text }

  private let input: TraceInput
  private var decoder = TraceDecoder()
  private var atEnd = false

  /// Opens `path`; `-` is standard input.
  ///
  /// - Throws: `TraceFormatError.io`.
  public init(path: String) throws(TraceFormatError) { input = try TraceInput(path: path) }

  /// Returns the next event, `nil` at the end of the file.
  ///
  /// - Throws: `TraceFormatError`; after `notJSON`, `missing` and `wrongType` the next call reads on behind the line.
  public func next() throws(TraceFormatError) -> TraceEvent? {
    while true {
      if let event = try decoder.next() { return event }
      if atEnd { return nil }
      try fill()
    }
  }

  private func fill() throws(TraceFormatError) {
    do throws(TraceFormatError) {
      if let text = try input.next() { return decoder.append(text) }
    } catch {
      guard case .io = error.reason else { throw error }
      throw TraceFormatError(error.reason, line: decoder.line, offset: decoder.offset)
    }
    atEnd = true
    decoder.end()
  }

  /// Reads a whole file into memory.
  public static func events(of path: String) throws(TraceFormatError) -> [TraceEvent] {
    let reader = try TraceReader(path: path)
    var events: [TraceEvent] = []
    while let event = try reader.next() { events.append(event) }
    return events
  }
}
