/// Why a trace could not be read, with the line where it is known.
public struct TraceFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// The line is not a JSON object in UTF-8.
    case notJSON
    /// A required key is absent.
    case missing(key: String)
    /// A key's value is of another kind than the format says.
    case wrongType(key: String, expected: String)
    /// The first line is not a header of this format.
    case notATrace
    /// The header names a version that this program does not read.
    case laterVersion(Int)
    /// The file cannot be opened or read (`errno`).
    case io(errno: Int32)
    /// The line is longer than `TraceDecoder.lineLimit`.
    case lineTooLong
    /// A compressed frame is not what its checksum, its size or the format say; in the words of libzstd.
    case damaged(String)
  }

  /// What is wrong.
  public var reason: Reason
  /// Line number from 1; `nil` before the line is known.
  public var line: Int?
  /// Byte offset of the line in the (decompressed) text, of a damaged frame in the file; `nil` before it is known.
  public var offset: Int?

  /// Creates an error without a place.
  public init(_ reason: Reason, line: Int? = nil, offset: Int? = nil) {
    self.reason = reason
    self.line = line
    self.offset = offset
  }

  /// One sentence: what, and where.
  public var description: String {
    let what =
      switch reason {
      case .notJSON: "not a JSON object in UTF-8"
      case .missing(let key): "required key '\(key)' is missing"
      case .wrongType(let key, let expected): "key '\(key)' is not \(expected)"
      case .notATrace: "not a trace: its first line is no mcptrace header"
      case .laterVersion(let version):
        "trace version \(version) is later than this program reads (1); use a newer one"
      case .io(let errno): "cannot read (errno \(errno))"
      case .lineTooLong: "a line longer than \(TraceDecoder.lineLimit) bytes"
      case .damaged(let words):
        "byte \(offset ?? 0): the compressed frame that begins here is damaged: \(words)"
      }
    guard let line else { return what }
    return "line \(line) (byte \(offset ?? 0)): \(what)"
  }
}
