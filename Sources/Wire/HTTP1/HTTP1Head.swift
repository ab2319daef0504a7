import Basics

/// Parsing of one head section: a start line and field lines, up to and with the empty line.
///
/// Tolerant where real traffic is: bare LF; a folded line belongs to the one before, also where that lacks its colon; a
/// line without a colon is dropped. A bare CR ends a line where a field follows it, and is white space elsewhere
/// (RFC 9112 §2.2 allows either; browsers differ). A start line that is none makes the head `nil`.
enum HTTP1Head {
  struct Request {
    var method: String
    var target: String
    var fields: HeaderFields
    /// Where the fields' text begins, if it lies in the head as it is.
    var fieldsStart: Int?
  }

  struct Response {
    var status: Int
    var fields: HeaderFields
    /// Where the fields' text begins, if it lies in the head as it is.
    var fieldsStart: Int?
  }

  /// Returns the request in `bytes`, `nil` when its first line is no request line.
  static func request(_ bytes: Span<UInt8>) -> Request? {
    let line = endOfLine(bytes, 0)
    guard let parts = StartLine.request(bytes, 0..<line.text) else { return nil }
    let plain = plainFields(bytes.extracting(line.next..<bytes.count))
    return Request(
      method: text(bytes, parts.method), target: text(bytes, parts.target),
      fields: plain ?? HeaderFields(oddFields(bytes, from: line.next)),
      fieldsStart: plain == nil ? nil : line.next)
  }

  /// Returns the response in `bytes`, `nil` when its first line is no status line.
  static func response(_ bytes: Span<UInt8>) -> Response? {
    let line = endOfLine(bytes, 0)
    guard let status = StartLine.status(bytes, 0..<line.text) else { return nil }
    let plain = plainFields(bytes.extracting(line.next..<bytes.count))
    return Response(
      status: status, fields: plain ?? HeaderFields(oddFields(bytes, from: line.next)),
      fieldsStart: plain == nil ? nil : line.next)
  }

  /// Returns whether the first line is a start line.
  static func beginsWithStartLine(_ bytes: Span<UInt8>, request: Bool) -> Bool {
    let line = 0..<endOfLine(bytes, 0).text
    return request
      ? StartLine.request(bytes, line) != nil : StartLine.status(bytes, line) != nil
  }

  /// Returns the field lines from `start` on, in order.
  static func fields(_ bytes: Span<UInt8>, from start: Int) -> HeaderFields {
    plainFields(bytes.extracting(start..<bytes.count))
      ?? HeaderFields(oddFields(bytes, from: start))
  }

  /// The same where the text can be taken as it is: ASCII, and no line folded; `nil` where it is not so.
  private static func plainFields(_ bytes: Span<UInt8>) -> HeaderFields? {
    guard ByteScan.isASCII(bytes) else { return nil }
    var fields = HeaderDraft(lyingIn: bytes)
    var length: Int?
    var lengths = 0
    var count = 0
    var i = 0
    while i < bytes.count {
      if bytes[i] == 0x20 || bytes[i] == 0x09 { return nil }
      let end = endOfLine(bytes, i)
      if let colon = index(of: 0x3a, bytes, i..<end.text) {
        let name = nameRange(bytes, i..<colon)
        let value = StartLine.trimmed(bytes, (colon + 1)..<end.text)
        fields.add(name: name, value: value)
        if name.count == 14,
          isSameIgnoringCase(bytes.extracting(name), "content-length".utf8Span.span)
        {
          lengths += 1
          length = isShortNumber(bytes.extracting(value)) ? count : nil
        }
        count += 1
      }
      i = end.next
    }
    if lengths == 1 { fields.vary(length) }
    return HeaderFields(fields.block)
  }

  /// Whether text is nothing but a few digits.
  private static func isShortNumber(_ text: Span<UInt8>) -> Bool {
    guard text.count > 0, text.count <= HeaderFields.Digits.limit else { return false }
    return text.indices.allSatisfy { text[$0] &- 0x30 < 10 }
  }

  private static func oddFields(_ bytes: Span<UInt8>, from start: Int) -> [HeaderField] {
    var fields: [HeaderField] = []
    // A name whose colon did not come yet.
    var name: Range<Int>?
    var i = start
    while i < bytes.count {
      let end = endOfLine(bytes, i)
      let line = i..<end.text
      i = end.next
      let isFolded =
        !line.isEmpty && (bytes[line.lowerBound] == 0x20 || bytes[line.lowerBound] == 0x09)
      if isFolded, let open = name {
        let more = StartLine.trimmed(bytes, line)
        if !more.isEmpty, bytes[more.lowerBound] == 0x3a {
          let value = StartLine.trimmed(bytes, (more.lowerBound + 1)..<more.upperBound)
          fields.append(HeaderField(text(bytes, open), text(bytes, value)))
          name = nil
        }
      } else if isFolded, !fields.isEmpty {
        let more = StartLine.trimmed(bytes, line)
        let isFirst = fields[fields.count - 1].value.isEmpty
        if !isFirst, !more.isEmpty { fields[fields.count - 1].value += " " }
        fields[fields.count - 1].value += text(bytes, more)
      } else if let colon = index(of: 0x3a, bytes, line) {
        name = nil
        let value = StartLine.trimmed(bytes, (colon + 1)..<line.upperBound)
        fields.append(
          HeaderField(
            text(bytes, nameRange(bytes, line.lowerBound..<colon)), text(bytes, value)))
      } else {
        let word = StartLine.trimmed(bytes, line)
        name = !word.isEmpty && word.allSatisfy { StartLine.isToken(bytes[$0]) } ? word : nil
      }
    }
    return fields
  }

  /// The name without white space around it; a NUL in it makes another name of it, as for browsers.
  private static func nameRange(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (a, b) = (range.lowerBound, range.upperBound)
    while a < b, bytes[a] != 0, StartLine.isSpace(bytes[a]) { a += 1 }
    while b > a, bytes[b - 1] != 0, StartLine.isSpace(bytes[b - 1]) { b -= 1 }
    return a..<b
  }

  /// Returns where the line's text ends and where the next line begins: behind LF, CRLF, or a CR that a field follows.
  private static func endOfLine(_ bytes: Span<UInt8>, _ start: Int) -> (text: Int, next: Int) {
    var i = start
    while let end = ByteScan.firstIndex(of: 0x0a, or: 0x0d, in: bytes, from: i) {
      if bytes[end] == 0x0a { return (end, end + 1) }
      var next = end + 1
      while next < bytes.count, bytes[next] == 0x0d { next += 1 }
      if next < bytes.count, bytes[next] == 0x0a { return (end, next + 1) }
      if isField(bytes, next) { return (end, next) }
      i = next
    }
    return (bytes.count, bytes.count)
  }

  /// Returns whether a field's name and colon are at `start`.
  static func isField(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
    var i = start
    while i < bytes.count, StartLine.isToken(bytes[i]) { i += 1 }
    return i > start && i < bytes.count && bytes[i] == 0x3a
  }

  private static func index(of byte: UInt8, _ s: Span<UInt8>, _ range: Range<Int>) -> Int? {
    ByteScan.firstIndex(of: byte, in: s.extracting(range), from: 0).map { range.lowerBound + $0 }
  }

  /// Returns text as UTF-8, or as ISO 8859-1 where it is not (RFC 9110 §5.5).
  private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    guard !range.isEmpty else { return "" }
    do {
      return String(copying: try UTF8Span(validating: bytes.extracting(range)))
    } catch {
      return String(String.UnicodeScalarView(range.map { Unicode.Scalar(bytes[$0]) }))
    }
  }
}
