import Basics

/// Which recorded request headers a replay repeats.
///
/// Those that shape an answer or mark the client are kept. What belongs to a connection, a body or a session is
/// made anew, and whatever may be a credential is left out: in a trace it is a surrogate, which no server knows.
enum HeaderChoice {
  private static let kept: Set<String> = [
    "accept", "accept-language", "cache-control", "traceparent", "user-agent",
  ]
  private static let secretMarks = [
    "auth", "token", "key", "secret", "cookie", "session", "signature", "credential", "password",
    "jwt",
  ]

  static func repeatable(_ fields: HeaderFields?) -> [HeaderField] {
    (fields ?? []).compactMap { field in
      let name = field.name.lowercased()
      guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
      if name == "accept-encoding" { return acceptEncoding(field) }
      if kept.contains(name) || name.hasPrefix("mcp-param-") { return field }
      guard name.hasPrefix("x-"), !secretMarks.contains(where: { name.contains($0) }) else {
        return nil
      }
      return field
    }
  }

  /// Codings that the decoder knows; a client that took others gets its answers plain.
  private static func acceptEncoding(_ field: HeaderField) -> HeaderField? {
    let known = field.value.split(whereSeparator: { $0 == "," || $0 == " " }).filter { coding in
      let name = coding.prefix { $0 != ";" }
      return name == "gzip" || name == "deflate" || name == "identity"
    }
    guard !known.isEmpty else { return nil }
    return HeaderField(field.name, known.joined(separator: ", "))
  }
}
