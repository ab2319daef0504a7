/// Why a capture cannot be read, or not further.
public struct CaptureError: Error, Hashable {
  /// What went wrong.
  public enum What: String, Hashable, Sendable {
    /// The file cannot be opened or read.
    case cannotOpen = "cannot open"
    /// The file is not a capture.
    case notACapture = "not a packet capture"
    /// The file is a capture of a kind that is not read.
    case unsupported = "cannot be read"
    /// A record or block is damaged; those before it were read.
    case corruptBlock = "damaged record"
    /// The compressed data is damaged; what came before was read.
    case corruptContainer = "damaged compressed data"
    /// The interface cannot be captured on, or not any more.
    case cannotCapture = "cannot capture"
    /// This user may not capture on the interface.
    case noPermission = "no permission to capture"
    /// There is no such interface.
    case noInterface = "no such interface"
    /// The filter expression does not compile.
    case badFilter = "bad filter expression"
  }

  /// What went wrong.
  public let what: What
  /// The path as given, `-` for standard input; the interface of a live capture.
  public let path: String
  /// Offset in bytes of what could not be read, where it is known; of a compressed file that of the compressed data
  /// for `corruptContainer`, else that of what it holds.
  public let offset: Int?
  /// What the format, libpcap or the system says; may be empty.
  public let cause: String

  /// Describes a failure.
  public init(_ what: What, path: String, offset: Int? = nil, cause: String = "") {
    self.what = what
    self.path = path
    self.offset = offset
    self.cause = cause
  }
}

extension CaptureError: CustomStringConvertible {
  /// One sentence: `agents.pcap: damaged record at byte 1234: a length of 4294967295 bytes`.
  public var description: String {
    let place = offset.map { " at byte \($0)" } ?? ""
    return "\(path): \(what.rawValue)\(place)" + (cause.isEmpty ? "" : ": \(cause)")
  }
}
