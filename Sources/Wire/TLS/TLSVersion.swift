/// A protocol version as records and hellos carry it (RFC 8446 appendix D).
public struct TLSVersion: RawRepresentable, Hashable, Comparable, Sendable {
  /// The two bytes on the wire.
  public let rawValue: UInt16

  /// Creates a version from its two bytes, whatever they say.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// SSL 3.0
  public static let ssl30 = TLSVersion(rawValue: 0x0300)
  /// TLS 1.0
  public static let tls10 = TLSVersion(rawValue: 0x0301)
  /// TLS 1.1
  public static let tls11 = TLSVersion(rawValue: 0x0302)
  /// TLS 1.2
  public static let tls12 = TLSVersion(rawValue: 0x0303)
  /// TLS 1.3
  public static let tls13 = TLSVersion(rawValue: 0x0304)

  /// Orders by age.
  public static func < (a: TLSVersion, b: TLSVersion) -> Bool { a.rawValue < b.rawValue }

  /// The number as people write it, `1.3`; hex for what is not a version of TLS.
  public var name: String {
    switch self {
    case .tls13: "1.3"
    case .tls12: "1.2"
    case .tls11: "1.1"
    case .tls10: "1.0"
    case .ssl30: "SSL 3.0"
    default: draft.map { "1.3 draft \($0)" } ?? "0x" + String(rawValue, radix: 16)
    }
  }

  /// Number of the draft of TLS 1.3 that it is.
  var draft: Int? { rawValue >> 8 == 0x7f ? Int(rawValue & 0xff) : nil }

  /// Whether it is a draft whose records are protected in another way than those of TLS 1.3 (since 25 as in RFC 8446 §5.2).
  var isOldDraft: Bool { draft.map { $0 < 25 } ?? false }
}
