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
    guard let first = fields.firstIndex(.transferEncoding) else { return false }
    for i in first..<fields.count where fields.isNamed(i, "transfer-encoding") {
      let text = fields.value(i)
      var list = 0..<text.count
      while let part = nextPart(of: &list, text) {
        var start = part.lowerBound
        while start < part.upperBound, isSpace(text[start]) { start += 1 }
        let coding = text.extracting(start..<min(start + 7, part.upperBound))
        if isSameIgnoringCase(coding, "chunked".utf8Span.span) { return true }
      }
    }
    return false
  }

  /// The length that the last field with one says (RFC 9110 §8.6: a list must repeat one value).
  private static func contentLength(_ fields: HeaderFields) -> Int? {
    guard let first = fields.firstIndex(.contentLength) else { return nil }
    var length: Int?
    for i in first..<fields.count where fields.isNamed(i, "content-length") {
      let text = fields.value(i)
      var list = 0..<text.count
      var listed: Int?
      while let part = nextPart(of: &list, text) {
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

  /// Takes the next element that is not empty off a list with commas.
  private static func nextPart(of list: inout Range<Int>, _ text: Span<UInt8>) -> Range<Int>? {
    var start = list.lowerBound
    while start < list.upperBound, text[start] == 0x2c { start += 1 }
    guard start < list.upperBound else { return nil }
    var end = start
    while end < list.upperBound, text[end] != 0x2c { end += 1 }
    list = end..<list.upperBound
    return start..<end
  }

  /// Leading digits, with white space (and a plus sign) before them and nothing or white space behind them.
  private static func decimal(_ part: Span<UInt8>) -> Int? {
    var value: Int?
    var mayHaveSign = true
    for i in part.indices {
      if isSpace(part[i]) {
        if value != nil { break }
        continue
      }
      if part[i] == 0x2b, mayHaveSign, value == nil {
        mayHaveSign = false
        continue
      }
      let digit = part[i] &- 0x30
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
