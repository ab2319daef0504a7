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
    if finalCoding(fields) == .chunked { return .chunked }
    return contentLength(fields).map(BodyFraming.length) ?? .none
  }

  static func ofResponse(_ fields: HeaderFields, status: Int) -> BodyFraming {
    if status == 204 || status == 304 { return .none }
    switch finalCoding(fields) {
    case .chunked: return .chunked
    case .none, .identity: return contentLength(fields).map(BodyFraming.length) ?? .untilClose
    case .other: return .untilClose
    }
  }

  private enum Coding {
    case none
    case chunked
    case identity
    case other
  }

  /// The transfer coding that was applied last, compared without case and parameters.
  private static func finalCoding(_ fields: HeaderFields) -> Coding {
    guard let field = fields.lastIndex(named: "transfer-encoding") else { return .none }
    let text = fields.text.span
    let value = fields.valueRange(field)
    // Empty elements of a list count for nothing (RFC 9110 §5.6.1).
    var end = value.upperBound
    while end > value.lowerBound, text[end - 1] == 0x2c { end -= 1 }
    var start = end
    while start > value.lowerBound, text[start - 1] != 0x2c { start -= 1 }
    while start < end, isSpace(text[start]) || text[start] == 0x3b { start += 1 }
    var last = start
    while last < end, !isSpace(text[last]), text[last] != 0x3b { last += 1 }
    if start == last { return .none }
    let coding = text.extracting(start..<last)
    if isSameIgnoringCase(coding, "chunked".utf8Span.span) { return .chunked }
    return isSameIgnoringCase(coding, "identity".utf8Span.span) ? .identity : .other
  }

  /// The length when all values agree (RFC 9110 §8.6).
  private static func contentLength(_ fields: HeaderFields) -> Int? {
    let text = fields.text.span
    var length: Int?
    for i in fields.indices where fields.isNamed(i, "content-length") {
      let value = fields.valueRange(i)
      var start = value.lowerBound
      while start < value.upperBound {
        var end = start
        while end < value.upperBound, text[end] != 0x2c { end += 1 }
        if end > start {
          guard let part = decimal(text.extracting(start..<end)), length == nil || length == part
          else { return nil }
          length = part
        }
        start = end + 1
      }
    }
    return length
  }

  /// Digits with nothing but white space around them.
  private static func decimal(_ part: Span<UInt8>) -> Int? {
    var value: Int?
    var isOver = false
    for i in part.indices {
      if isSpace(part[i]) {
        isOver = value != nil
        continue
      }
      let digit = part[i] &- 0x30
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
