import Basics

/// How the body of a message is delimited (RFC 9112 §6.3), from its header fields.
///
/// A reader that enforces nothing takes the likeliest meaning: a coding that begins with `chunked`, wherever it stands in
/// the list, is chunked (senders apply it last whatever they write); a length is its leading digits (`strtol`); of
/// lengths that contradict each other the last is taken. A length that is none counts as absent.
enum BodyFraming: Hashable {
  /// No body.
  case none
  /// Chunked transfer coding; outranks any length.
  case chunked
  /// So many bytes.
  case length(Int)
  /// Up to the end of the direction.
  case untilClose

  static func ofRequest(_ fields: HeaderFields, isChunked: Bool = true) -> BodyFraming {
    if isChunked, namesChunked(fields) { return .chunked }
    return contentLength(fields).map(BodyFraming.length) ?? .none
  }

  static func ofResponse(
    _ fields: HeaderFields, status: Int, isChunked: Bool = true
  ) -> BodyFraming {
    if status == 204 || status == 304 { return .none }
    if isChunked, namesChunked(fields) { return .chunked }
    return contentLength(fields).map(BodyFraming.length) ?? .untilClose
  }

  private static func namesChunked(_ fields: HeaderFields) -> Bool {
    fields.indices(named: "transfer-encoding").contains { field in
      fields[field].value.utf8.split(separator: 0x2c).contains { coding in
        coding.drop(while: isSpace).prefix(7).map(asciiLowercase).elementsEqual("chunked".utf8)
      }
    }
  }

  /// The length that the last field with one says (RFC 9110 §8.6: a list must repeat one value).
  private static func contentLength(_ fields: HeaderFields) -> Int? {
    var length: Int?
    for field in fields.indices(named: "content-length") {
      var listed: Int?
      for part in fields[field].value.utf8.split(separator: 0x2c) {
        guard let value = decimal(part), listed == nil || listed == value else {
          listed = nil
          break
        }
        listed = value
      }
      length = listed ?? length
    }
    return length
  }

  /// Leading digits, with white space (and a plus sign) before them and nothing or white space behind them.
  private static func decimal(_ part: Substring.UTF8View) -> Int? {
    var value: Int?
    var mayHaveSign = true
    for byte in part {
      if isSpace(byte) {
        if value != nil { break }
        continue
      }
      if byte == 0x2b, mayHaveSign, value == nil {
        mayHaveSign = false
        continue
      }
      let digit = byte &- 0x30
      guard digit < 10 else { return nil }
      let (tens, tooLarge) = (value ?? 0).multipliedReportingOverflow(by: 10)
      let (sum, tooFar) = tens.addingReportingOverflow(Int(digit))
      if tooLarge || tooFar { return nil }
      value = sum
    }
    return value
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
