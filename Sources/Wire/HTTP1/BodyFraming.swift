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
    let text = fields.text.span
    for i in fields.indices where fields.isNamed(i, "transfer-encoding") {
      var rest = fields.valueRange(i)
      while !rest.isEmpty {
        var part = nextPart(text, &rest)
        while let first = part.first, isSpace(text[first]) { part.removeFirst() }
        if part.count >= 7,
          isSameIgnoringCase(text.extracting(part.prefix(7)), "chunked".utf8Span.span)
        {
          return true
        }
      }
    }
    return false
  }

  /// The length that the last field with one says (RFC 9110 §8.6: a list must repeat one value).
  private static func contentLength(_ fields: HeaderFields) -> Int? {
    let text = fields.text.span
    var length: Int?
    for i in fields.indices where fields.isNamed(i, "content-length") {
      var listed: Int?
      var rest = fields.valueRange(i)
      while !rest.isEmpty {
        let part = nextPart(text, &rest)
        if part.isEmpty { continue }
        guard let value = decimal(text.extracting(part)), listed == nil || listed == value else {
          listed = nil
          break
        }
        listed = value
      }
      length = listed ?? length
    }
    return length
  }

  /// Takes the text up to the next comma, and the comma, off the front of `rest`.
  private static func nextPart(_ text: Span<UInt8>, _ rest: inout Range<Int>) -> Range<Int> {
    var end = rest.lowerBound
    while end < rest.upperBound, text[end] != 0x2c { end += 1 }
    defer { rest = min(end + 1, rest.upperBound)..<rest.upperBound }
    return rest.lowerBound..<end
  }

  /// Leading digits, with white space (and a plus sign) before them and nothing or white space behind them.
  private static func decimal(_ part: Span<UInt8>) -> Int? {
    var value: Int?
    var mayHaveSign = true
    for i in part.indices {
      let byte = part[i]
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
