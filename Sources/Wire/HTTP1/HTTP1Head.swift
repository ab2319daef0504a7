import Basics

/// Parsing of one head section: a start line and field lines, up to and with the empty line.
///
/// Tolerant where real traffic is (bare LF, obs-fold, a line without a colon is dropped); a start line that is none
/// makes the head `nil`.
enum HTTP1Head {
  struct Request {
    var method: String
    var target: String
    var fields: HeaderFields
  }

  struct Response {
    var status: Int
    var fields: HeaderFields
  }

  /// Returns the request in `bytes`, `nil` when its first line is no request line.
  static func request(_ bytes: Span<UInt8>) -> Request? {
    let lineEnd = endOfLine(bytes, 0)
    let line = trimmed(bytes, 0, lineEnd.text)
    guard let space = index(of: 0x20, bytes, line.lowerBound, line.upperBound),
      space > line.lowerBound, space - line.lowerBound <= 32,
      (line.lowerBound..<space).allSatisfy({ isToken(bytes[$0]) }),
      let version = lastIndex(of: 0x20, bytes, space + 1, line.upperBound),
      isVersion(bytes, version + 1, line.upperBound), version > space + 1
    else { return nil }
    return Request(
      method: text(bytes, line.lowerBound, space), target: text(bytes, space + 1, version),
      fields: fields(bytes, from: lineEnd.next))
  }

  /// Returns the response in `bytes`, `nil` when its first line is no status line.
  static func response(_ bytes: Span<UInt8>) -> Response? {
    let lineEnd = endOfLine(bytes, 0)
    guard lineEnd.text >= 12, isVersion(bytes, 0, 8), bytes[8] == 0x20 else { return nil }
    var status = 0
    for i in 9..<12 {
      guard bytes[i] >= 0x30, bytes[i] <= 0x39 else { return nil }
      status = status * 10 + Int(bytes[i] - 0x30)
    }
    guard status >= 100, lineEnd.text == 12 || bytes[12] == 0x20 || bytes[12] == 0x0d
    else { return nil }
    return Response(status: status, fields: fields(bytes, from: lineEnd.next))
  }

  /// Returns whether bytes could begin a message of this kind (for resynchronisation; cheap).
  static func isPlausibleStart(_ bytes: Span<UInt8>, request: Bool) -> Bool {
    if !request {
      let prefix: [UInt8] = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e]
      return bytes.count > 0
        && (0..<min(prefix.count, bytes.count)).allSatisfy { bytes[$0] == prefix[$0] }
    }
    var i = 0
    while i < bytes.count, bytes[i] >= 0x41, bytes[i] <= 0x5a { i += 1 }
    if i == bytes.count { return i > 0 && i <= 16 }
    guard i >= 3, i <= 16, bytes[i] == 0x20 else { return false }
    guard i + 1 < bytes.count else { return true }
    return bytes[i + 1] > 0x20 && bytes[i + 1] < 0x7f
  }

  /// Returns the field lines from `start` on, in order.
  static func fields(_ bytes: Span<UInt8>, from start: Int) -> HeaderFields {
    plainFields(bytes.extracting(start..<bytes.count))
      ?? HeaderFields(oddFields(bytes, from: start))
  }

  /// The same where the text can be taken as it is: ASCII, and no line folded; `nil` where it is not so.
  private static func plainFields(_ bytes: Span<UInt8>) -> HeaderFields? {
    guard ByteScan.isASCII(bytes) else { return nil }
    var fields = HeaderFields(lyingIn: bytes)
    var i = 0
    while i < bytes.count {
      if bytes[i] == 0x20 || bytes[i] == 0x09 { return nil }
      let end = endOfLine(bytes, i)
      if let colon = index(of: 0x3a, bytes, i, end.text) {
        fields.add(name: trimmed(bytes, i, colon), value: trimmed(bytes, colon + 1, end.text))
      }
      i = end.next
    }
    return fields
  }

  private static func oddFields(_ bytes: Span<UInt8>, from start: Int) -> [HeaderField] {
    var fields: [HeaderField] = []
    var i = start
    while i < bytes.count {
      let end = endOfLine(bytes, i)
      if bytes[i] == 0x20 || bytes[i] == 0x09, !fields.isEmpty {
        let more = trimmed(bytes, i, end.text)
        let isFirst = fields[fields.count - 1].value.isEmpty
        if !isFirst, !more.isEmpty { fields[fields.count - 1].value += " " }
        fields[fields.count - 1].value += text(bytes, more.lowerBound, more.upperBound)
      } else if let colon = index(of: 0x3a, bytes, i, end.text) {
        let name = trimmed(bytes, i, colon)
        let value = trimmed(bytes, colon + 1, end.text)
        fields.append(
          HeaderField(
            text(bytes, name.lowerBound, name.upperBound),
            text(bytes, value.lowerBound, value.upperBound)))
      }
      i = end.next
    }
    return fields
  }

  /// Returns where the line's text ends and where the next line begins (LF, with or without a CR before it).
  private static func endOfLine(_ bytes: Span<UInt8>, _ start: Int) -> (text: Int, next: Int) {
    guard let lf = ByteScan.firstIndex(of: 0x0a, in: bytes, from: start) else {
      return (bytes.count, bytes.count)
    }
    return (lf > start && bytes[lf - 1] == 0x0d ? lf - 1 : lf, lf + 1)
  }

  private static func isVersion(_ bytes: Span<UInt8>, _ from: Int, _ to: Int) -> Bool {
    let prefix: [UInt8] = [0x48, 0x54, 0x54, 0x50, 0x2f]
    guard to - from == 8, bytes[from + 5] == 0x31, bytes[from + 6] == 0x2e,
      bytes[from + 7] >= 0x30, bytes[from + 7] <= 0x39
    else { return false }
    return (0..<5).allSatisfy { bytes[from + $0] == prefix[$0] }
  }

  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e...0x60, 0x7c, 0x7e: true
    default: false
    }
  }

  private static func trimmed(_ bytes: Span<UInt8>, _ from: Int, _ to: Int) -> Range<Int> {
    var (a, b) = (from, to)
    while a < b, bytes[a] == 0x20 || bytes[a] == 0x09 { a += 1 }
    while b > a, bytes[b - 1] == 0x20 || bytes[b - 1] == 0x09 || bytes[b - 1] == 0x0d { b -= 1 }
    return a..<b
  }

  private static func index(of byte: UInt8, _ s: Span<UInt8>, _ from: Int, _ to: Int) -> Int? {
    var i = from
    while i < to {
      if s[i] == byte { return i }
      i += 1
    }
    return nil
  }

  private static func lastIndex(of byte: UInt8, _ s: Span<UInt8>, _ from: Int, _ to: Int) -> Int? {
    var i = to - 1
    while i >= from {
      if s[i] == byte { return i }
      i -= 1
    }
    return nil
  }

  /// Returns text as UTF-8, or as ISO 8859-1 where it is not (RFC 9110 §5.5).
  private static func text(_ bytes: Span<UInt8>, _ from: Int, _ to: Int) -> String {
    guard from < to else { return "" }
    do {
      return String(copying: try UTF8Span(validating: bytes.extracting(from..<to)))
    } catch {
      return String(String.UnicodeScalarView((from..<to).map { Unicode.Scalar(bytes[$0]) }))
    }
  }
}
