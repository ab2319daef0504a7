import Basics
import NIOCore

/// Walks the strings and numbers of a JSON text, each with its path, also those of JSON that a string holds.
///
/// Memory is the path and, for a string with escapes, its text.
struct ScalarWalk: ~Copyable {
  /// Deepest nesting that is walked, of brackets and of JSON in strings; what is deeper is skipped.
  private static let depthLimit = 32
  private static let textDepthLimit = 3
  /// Longest string that is looked into.
  private static let stringLimit = 1 << 20
  /// Longest path that is of use.
  private static let pathLimit = 1024

  /// A string or number, unescaped, and where it stands: a JSON Pointer with `#` before JSON in a string.
  ///
  /// `words` says of a string that so many bytes at its beginning are letters and blanks; `nil` for a number.
  typealias Taker = (_ text: Span<UInt8>, _ words: Int?, _ path: Span<UInt8>) -> Void
  /// The same, with the index of the name of the member that it stands in; `nil` for other names.
  typealias MemberTaker = (
    _ name: Int?, _ text: Span<UInt8>, _ words: Int?, _ path: Span<UInt8>
  ) -> Void

  // Most paths are shorter: one stretch of memory for a walk.
  private var path = OutputBytes(capacity: 96)
  private var textDepth = 0

  /// Walks the members of an object that is known to be valid and compact, but for those of a name that is not wanted.
  mutating func walk(
    _ json: RawJSON, _ names: borrowing JSONNames, isWanted: (_ name: Int?) -> Bool,
    _ take: MemberTaker
  ) {
    let bytes = json.bytes
    let span = bytes.readableSpan
    guard span.count > 0, span[0] == 0x7b else { return }
    var i = 1
    while i < span.count, span[i] == 0x22 {
      guard let behind = JSONScan.skipString(span, i), behind < span.count, span[behind] == 0x3a
      else { return }
      let name = names.index(span, i + 1..<behind - 1)
      let end: Int?
      if isWanted(name) {
        path.removeAll(from: 0)
        append(key: span, i + 1..<behind - 1)
        end = value(span, behind + 1, depth: 0) { take(name, $0, $1, $2) }
      } else {
        end = JSONScan.skipValue(span, behind + 1)
      }
      guard let end, end < span.count, span[end] == 0x2c else { return }
      i = end + 1
    }
  }

  /// Walks a value that is known to be valid and compact.
  private mutating func walk(_ json: RawJSON, _ take: Taker) {
    let span = json.bytes.readableSpan
    guard span.count > 0 else { return }
    _ = value(span, 0, depth: 0, take)
  }

  /// Returns the index behind the value; `nil` when something is wrong.
  private mutating func value(
    _ json: Span<UInt8>, _ start: Int, depth: Int, _ take: Taker
  ) -> Int? {
    guard start < json.count else { return nil }
    switch json[start] {
    case 0x22: return string(json, start, take)
    case 0x7b:
      guard depth < ScalarWalk.depthLimit else { return JSONScan.skipValue(json, start) }
      return object(json, start, depth: depth, take)
    case 0x5b:
      guard depth < ScalarWalk.depthLimit else { return JSONScan.skipValue(json, start) }
      return array(json, start, depth: depth, take)
    case 0x2d, 0x30...0x39:
      guard let end = JSONScan.skipNumber(json, start) else { return nil }
      take(json.extracting(start..<end), nil, path.span)
      return end
    default: return JSONScan.skipLiteral(json, start)
    }
  }

  private mutating func object(
    _ json: Span<UInt8>, _ start: Int, depth: Int, _ take: Taker
  ) -> Int? {
    var i = start + 1
    if i < json.count, json[i] == 0x7d { return i + 1 }
    while i < json.count {
      guard let behind = JSONScan.skipString(json, i), behind < json.count, json[behind] == 0x3a
      else { return nil }
      let length = path.count
      append(key: json, i + 1..<behind - 1)
      guard let end = value(json, behind + 1, depth: depth + 1, take), end < json.count else {
        return nil
      }
      path.removeAll(from: length)
      if json[end] == 0x7d { return end + 1 }
      guard json[end] == 0x2c else { return nil }
      i = end + 1
    }
    return nil
  }

  private mutating func array(
    _ json: Span<UInt8>, _ start: Int, depth: Int, _ take: Taker
  ) -> Int? {
    var i = start + 1
    if i < json.count, json[i] == 0x5d { return i + 1 }
    var index = 0
    while i < json.count {
      let length = path.count
      path.append(0x2f)
      append(index)
      guard let end = value(json, i, depth: depth + 1, take), end < json.count else { return nil }
      path.removeAll(from: length)
      if json[end] == 0x5d { return end + 1 }
      guard json[end] == 0x2c else { return nil }
      i = end + 1
      index += 1
    }
    return nil
  }

  private mutating func string(_ json: Span<UInt8>, _ start: Int, _ take: Taker) -> Int? {
    // What is words alone is read once; in other texts values are looked for behind these.
    let words = ByteScan.endOfWords(json, start + 1)
    let isWords = words < json.count && json[words] == 0x22
    let plain = isWords ? words : ByteScan.endOfPlainText(json, words)
    let isPlain = plain < json.count && json[plain] == 0x22
    guard let end = isPlain ? plain + 1 : JSONScan.skipString(json, start) else { return nil }
    let range = start + 1..<end - 1
    guard !range.isEmpty, range.count <= ScalarWalk.stringLimit,
      path.count <= ScalarWalk.pathLimit
    else { return end }
    if isPlain {
      take(json.extracting(range), words - start - 1, path.span)
      return end
    }
    var text: [UInt8] = []
    JSONScan.unescape(json, range, into: &text)
    if textDepth < ScalarWalk.textDepthLimit, let inner = ScalarWalk.json(text) {
      textDepth += 1
      let length = path.count
      path.append(0x23)
      walk(inner, take)
      path.removeAll(from: length)
      textDepth -= 1
    } else {
      take(text.span, 0, path.span)
    }
    return end
  }

  /// The object or array that a text is; `nil` for other texts.
  private static func json(_ text: [UInt8]) -> RawJSON? {
    let start = JSONScan.skipSpace(text.span, 0)
    guard start < text.count, text[start] == 0x7b || text[start] == 0x5b else { return nil }
    return RawJSON(validating: ByteBuffer(bytes: text))
  }

  /// Appends a member's name as `ValuePath` reads it.
  private mutating func append(key json: Span<UInt8>, _ range: Range<Int>) {
    path.append(0x2f)
    let key = json.extracting(range)
    var isPlain = true
    for i in key.indices where ScalarWalk.escapes(key[i]) { isPlain = false }
    if isPlain { return path.append(key) }
    var text: [UInt8] = []
    JSONScan.unescape(json, range, into: &text)
    for byte in text {
      switch byte {
      case 0x7e: path.append("~0")
      case 0x2f: path.append("~1")
      case 0x23: path.append("~2")
      default: path.append(byte)
      }
    }
  }

  /// Whether a byte of a name stands otherwise in a path.
  private static func escapes(_ byte: UInt8) -> Bool {
    byte == 0x5c || byte == 0x7e || byte == 0x2f || byte == 0x23
  }

  private mutating func append(_ index: Int) {
    if index >= 10 { append(index / 10) }
    path.append(0x30 + UInt8(truncatingIfNeeded: index % 10))
  }
}
