public import Basics

/// A content coding (RFC 9110 §8.4.1).
public enum ContentCoding: String, Hashable, Sendable {
  /// RFC 1952.
  case gzip
  /// RFC 1950, or 1951 as some servers send it.
  case deflate
  /// RFC 7932.
  case br
  /// RFC 8878.
  case zstd

  /// Reads one coding of a list; `nil` when it is another.
  public init?(name: String) {
    switch name.lowercased() {
    case "gzip", "x-gzip": self = .gzip
    case "deflate": self = .deflate
    case "br": self = .br
    case "zstd": self = .zstd
    default: return nil
    }
  }

  /// Returns the names that a message's `Content-Encoding` fields list, in the order they were applied, without `identity`.
  /// What is behind a semicolon or space in an element is ignored.
  public static func names(in fields: HeaderFields) -> [String] {
    fields.indices(named: "content-encoding").flatMap { field in
      fields[field].value.split(separator: ",").compactMap { element in
        let name = element.split { $0 == ";" || $0.isWhitespace }.first.map(String.init)
        return name?.lowercased() == "identity" ? nil : name
      }
    }
  }
}
