import Basics

/// How the body of a message is delimited (RFC 9112 §6.3), from its header fields.
///
/// Lengths that contradict each other or are none count as absent: the observer then reads on as if none had been
/// said, and what follows is skipped and counted where that was wrong.
enum BodyFraming: Hashable {
  /// No body.
  case none
  /// Chunked transfer coding; outranks any length.
  case chunked
  /// So many bytes.
  case length(Int)
  /// Up to the end of the direction.
  case untilClose

  static func ofRequest(_ fields: [HeaderField]) -> BodyFraming {
    if finalCoding(fields) == "chunked" { return .chunked }
    return contentLength(fields).map(BodyFraming.length) ?? .none
  }

  static func ofResponse(_ fields: [HeaderField], status: Int) -> BodyFraming {
    if status == 204 || status == 304 { return .none }
    switch finalCoding(fields) {
    case "chunked": return .chunked
    case nil, "identity": return contentLength(fields).map(BodyFraming.length) ?? .untilClose
    default: return .untilClose
    }
  }

  /// The transfer coding that was applied last, in lower case without parameters.
  private static func finalCoding(_ fields: [HeaderField]) -> String? {
    guard let codings = fields.last(where: { $0.named("transfer-encoding") })?.value,
      let last = codings.lowercased().split(separator: ",").last
    else { return nil }
    return last.split { $0.isWhitespace || $0 == ";" }.first.map(String.init)
  }

  /// The length when all values agree (RFC 9110 §8.6).
  private static func contentLength(_ fields: [HeaderField]) -> Int? {
    var length: Int?
    for field in fields where field.named("content-length") {
      for part in field.value.split(separator: ",") {
        let words = part.split(whereSeparator: \.isWhitespace)
        guard words.count == 1, words[0].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
          let value = Int(words[0]), length == nil || length == value
        else { return nil }
        length = value
      }
    }
    return length
  }
}
