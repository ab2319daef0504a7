/// Why a capture cannot be read, or not further.
public struct PcapError: Error, Hashable {
  /// What went wrong.
  public enum What: String, Hashable, Sendable {
    /// The file cannot be opened or read.
    case cannotOpen = "cannot open"
    /// The file is not a capture.
    case notACapture = "not a packet capture"
    /// The file is compressed; decompress it first.
    case compressed = "compressed; decompress it first (gzip -dc FILE | record pcap - ...)"
    /// A record is damaged; the records before it were read.
    case corruptRecord = "damaged record"
    /// The filter expression does not compile.
    case badFilter = "bad filter expression"
  }

  /// What went wrong.
  public let what: What
  /// The path as given, `-` for standard input.
  public let path: String
  /// Offset in bytes of the record that could not be read, where it is known.
  public let offset: Int?
  /// The words of libpcap or the system; may be empty.
  public let cause: String

  /// Describes a failure.
  public init(_ what: What, path: String, offset: Int? = nil, cause: String = "") {
    self.what = what
    self.path = path
    self.offset = offset
    self.cause = cause
  }
}

extension PcapError: CustomStringConvertible {
  /// One sentence: `trace.pcap: damaged record at byte 1234: invalid packet capture length 4294967295`.
  public var description: String {
    let place = offset.map { " at byte \($0)" } ?? ""
    return "\(path): \(what.rawValue)\(place)" + (cause.isEmpty ? "" : ": \(cause)")
  }
}
