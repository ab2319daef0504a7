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

  static func ofRequest(_ fields: HeaderFields) -> BodyFraming {
    if finalCoding(fields) == "chunked" { return .chunked }
    return contentLength(fields).map(BodyFraming.length) ?? .none
  }

  static func ofResponse(_ fields: HeaderFields, status: Int) -> BodyFraming {
    if status == 204 || status == 304 { return .none }
    switch finalCoding(fields) {
    case "chunked": return .chunked
    case nil, "identity": return contentLength(fields).map(BodyFraming.length) ?? .untilClose
    default: return .untilClose
    }
  }

  /// The transfer coding that was applied last, in lower case without parameters.
  private static func finalCoding(_ fields: HeaderFields) -> String? {
    guard let field = fields.indices(named: "transfer-encoding").last else { return nil }
    let codings = fields[field].value
    guard
      let last = codings.utf8.split(separator: 0x2c).last
    else { return nil }
    return last.split { isSpace($0) || $0 == 0x3b }.first.map { coding in
      String(decoding: coding.map(asciiLowercase), as: UTF8.self)
    }
  }

  /// The length when all values agree (RFC 9110 §8.6).
  private static func contentLength(_ fields: HeaderFields) -> Int? {
    var length: Int?
    for field in fields.indices(named: "content-length") {
      for part in fields[field].value.utf8.split(separator: 0x2c) {
        guard let value = decimal(part), length == nil || length == value else { return nil }
        length = value
      }
    }
    return length
  }

  /// Digits with nothing but white space around them.
  private static func decimal(_ part: Substring.UTF8View) -> Int? {
    var value: Int?
    var isOver = false
    for byte in part {
      if isSpace(byte) {
        isOver = value != nil
        continue
      }
      let digit = byte &- 0x30
      guard digit < 10, !isOver else { return nil }
      let (tens, tooLarge) = (value ?? 0).multipliedReportingOverflow(by: 10)
      let (sum, tooFar) = tens.addingReportingOverflow(Int(digit))
      if tooLarge || tooFar { return nil }
      value = sum
    }
    return value
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
