import Basics
import Glibc

/// The files of a recording, found by its name.
enum SegmentFiles {
  /// Opens the file at `path` and, where it is the open segment of a recording, those closed before it; where there is none
  /// at `path`, the closed segments of the latest recording of that name. In order; never empty.
  ///
  /// Opened first, the open segment stays what it is while the recorder goes on to the next.
  ///
  /// - Throws: `TraceFormatError.io`.
  static func open(_ path: String) throws(TraceFormatError) -> [TraceInput.Part] {
    guard path != "-" else { return [.file(TraceFile(descriptor: 0))] }
    let names = SegmentNames(path)
    var files: [TraceInput.Part] = []
    var latest: HeaderLine?
    do throws(TraceFormatError) {
      let file = try TraceFile(path: path)
      let numbers = names.numbers()
      if !numbers.isEmpty { latest = file.peekHeader() }
      guard latest?.segment != nil else { return [.file(file)] }
      files = [.file(file)]
    } catch {
      guard error.reason == .io(errno: ENOENT), !names.numbers().isEmpty else { throw error }
    }
    for number in names.numbers().reversed() {
      // One that is gone by now was the oldest; somebody else's file may have such a name too.
      let path = names.closed(number)
      guard let header = try header(path), let segment = header.segment else { continue }
      if let later = latest {
        guard header.t0 == later.t0 else { continue }
        // Closed since the open one was opened.
        if segment >= later.segment ?? 0 { continue }
      }
      files.append(.path(path))
      latest = header
    }
    guard !files.isEmpty else { throw TraceFormatError(.io(errno: ENOENT)) }
    return files.reversed()
  }

  private static func header(_ path: String) throws(TraceFormatError) -> HeaderLine? {
    do throws(TraceFormatError) {
      return try TraceFile(path: path).peekHeader()
    } catch {
      guard error.reason == .io(errno: ENOENT) else { throw error }
      return nil
    }
  }
}
