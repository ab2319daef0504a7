public import Basics
import Glibc
import NIOCore

/// Reads a trace file event by event, in chunks; memory does not grow with the file.
public final class TraceReader {
  /// Bytes behind the last whole line, after the last event.
  public var tornTail: Int { decoder.tornTail }
  /// Number of the line that was returned last, from 1.
  public var line: Int { decoder.line }
  /// Byte offset of that line.
  public var offset: Int { decoder.offset }
  /// Bytes of that line, without its end.
  public var length: Int { decoder.length }
  /// The text of the line that was returned or rejected last; `nil` when that was no JSON.
  public var text: RawJSON? { decoder.text }

  private static let chunk = 256 << 10
  private let descriptor: Int32
  private var decoder = TraceDecoder()
  private var atEnd = false

  /// Opens `path`; `-` is standard input.
  ///
  /// - Throws: `TraceFormatError.io`.
  public init(path: String) throws(TraceFormatError) {
    descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw TraceFormatError(.io(errno: errno)) }
  }

  deinit { if descriptor > 0 { close(descriptor) } }

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
    var buffer = ByteBuffer()
    var result = 0
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: TraceReader.chunk) { space in
      result = unsafe read(descriptor, space.baseAddress, TraceReader.chunk)
      return max(0, result)
    }
    if result < 0, errno == EINTR { return }
    guard result >= 0 else {
      throw TraceFormatError(.io(errno: errno), line: decoder.line, offset: decoder.offset)
    }
    if result == 0 {
      atEnd = true
      decoder.end()
    } else {
      decoder.append(buffer)
    }
  }

  /// Reads a whole file into memory.
  public static func events(of path: String) throws(TraceFormatError) -> [TraceEvent] {
    let reader = try TraceReader(path: path)
    var events: [TraceEvent] = []
    while let event = try reader.next() { events.append(event) }
    return events
  }
}
