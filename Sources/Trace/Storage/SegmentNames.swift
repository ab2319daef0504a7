import Glibc

/// What the files of a recording in segments are called.
///
/// The open segment has the recording's own name, `live.mcptrace`; a closed one has a number in it, `live.000001.mcptrace`.
/// Numbers go on where an earlier recording of that name ended, so that none is overwritten; with the header's `t0` and
/// `segment` they tell which files are one recording.
public struct SegmentNames: Sendable {
  private let stem: String
  private let suffix: String
  private static let digits = 6
  /// Longer numbers are no segments'.
  private static let mostDigits = 9

  /// The name of the recording, and of its open segment.
  public let open: String
  /// The segment that is about to become the open one.
  public var next: String { stem + ".next" + suffix }

  /// The names for a recording at `path`.
  public init(_ path: String) {
    open = path
    let end = [".mcptrace.zst", ".mcptrace", ".zst"].first { path.hasSuffix($0) } ?? ""
    stem = String(path.dropLast(end.count))
    suffix = end
  }

  /// The name of the closed segment with a number.
  public func closed(_ number: Int) -> String {
    let digits = String(number)
    let zeros = String(repeating: "0", count: max(0, SegmentNames.digits - digits.count))
    return stem + "." + zeros + digits + suffix
  }

  /// Whether the closed file with a number is there and says that it is a segment.
  public func isSegment(_ number: Int) -> Bool {
    do throws(TraceFormatError) {
      return try TraceFile(path: closed(number)).peekHeader()?.segment != nil
    } catch {
      // What can't be read is not known to be one.
      return false
    }
  }

  /// Numbers of the closed segments that are there, in order; none where the folder can't be read.
  public func numbers() -> [Int] {
    let slash = stem.lastIndex(of: "/")
    let folder = slash.map { String(stem[...$0]) } ?? "."
    let first = (slash.map { String(stem[stem.index(after: $0)...]) } ?? stem) + "."
    // The stream is closed below, and an entry is read before the next one is asked for.
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var found: [Int] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe String(cString: UnsafeRawPointer(field).assumingMemoryBound(to: CChar.self))
      }
      guard name.hasPrefix(first), name.hasSuffix(suffix),
        name.utf8.count >= first.utf8.count + suffix.utf8.count + SegmentNames.digits
      else { continue }
      let middle = name.dropFirst(first.count).dropLast(suffix.count)
      guard middle.utf8.count <= SegmentNames.mostDigits, let number = Int(middle),
        closed(number).hasSuffix(name)
      else { continue }
      found.append(number)
    }
    return found.sorted()
  }
}
