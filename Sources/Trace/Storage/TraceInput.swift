import Glibc
import NIOCore

/// The text of a recording in chunks: of one file, or of its segments one behind the other.
final class TraceInput {
  /// A file that is to be read.
  enum Part {
    /// One that is open.
    case file(TraceFile)
    /// One that nobody renames any more.
    case path(String)
  }

  /// Bytes of compressed frames that files ended in, so far.
  private(set) var cutOff = 0
  private var file: TraceFile?
  private var waiting: [Part]

  /// Opens the recording at `path`; `-` is standard input.
  ///
  /// - Throws: `TraceFormatError.io`.
  init(path: String) throws(TraceFormatError) {
    waiting = try SegmentFiles.open(path).reversed()
  }

  /// Reads files in order.
  init(_ parts: [Part]) { waiting = parts.reversed() }

  /// Opens a closed segment; one that was removed since it was found was the oldest, and not to be kept.
  private static func opened(_ path: String) throws(TraceFormatError) -> TraceFile? {
    do throws(TraceFormatError) {
      return try TraceFile(path: path)
    } catch {
      guard error.reason == .io(errno: ENOENT) else { throw error }
      return nil
    }
  }

  /// Returns the next bytes of text, `nil` at the end of the last file.
  ///
  /// - Throws: `.io` and `.damaged`; behind either nothing more comes of that file.
  func next() throws(TraceFormatError) -> ByteBuffer? {
    while true {
      if let file {
        if let text = try file.next() { return text }
        cutOff += file.cutOff
      }
      switch waiting.popLast() {
      case .file(let next): file = next
      case .path(let path): file = try TraceInput.opened(path)
      case nil:
        file = nil
        return nil
      }
    }
  }
}
