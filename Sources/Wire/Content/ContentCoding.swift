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
    names(listedBy: "content-encoding", in: fields)
  }

  /// Returns those that `Transfer-Encoding` fields list, in the order they were applied: they were, after the content's.
  ///
  /// Only those that are known; what is not is no reason to leave the others on.
  static func transferNames(in fields: HeaderFields) -> [String] {
    names(listedBy: "transfer-encoding", in: fields).filter { ContentCoding(name: $0) != nil }
  }

  /// Whether a coding may be named at all: in nearly all messages none is, or `chunked` alone. Cheap.
  public static func isNamed(in fields: HeaderFields) -> Bool {
    if fields.has(.contentEncoding) { return true }
    guard let transfer = fields.firstIndex(.transferEncoding) else { return false }
    return !isSameIgnoringCase(fields.value(transfer), "chunked".utf8Span.span)
      || fields.indices.contains { $0 > transfer && fields.isNamed($0, "transfer-encoding") }
  }

  /// Whether a transfer coding besides chunked is named that is not known.
  public static func hasUnknownTransfer(in fields: HeaderFields) -> Bool {
    names(listedBy: "transfer-encoding", in: fields).contains { name in
      ContentCoding(name: name) == nil && !name.lowercased().hasPrefix("chunked")
    }
  }

  private static func names(listedBy name: String, in fields: HeaderFields) -> [String] {
    fields.indices(named: name).flatMap { field in
      fields[field].value.split(separator: ",").compactMap { element in
        let name = element.split { $0 == ";" || $0.isWhitespace }.first.map(String.init)
        return name?.lowercased() == "identity" ? nil : name
      }
    }
  }
}
