import Basics
import NIOCore

/// What becomes of one string or number.
extension PayloadWalk {
  /// The string as shown, in quotes; `nil` when it stays.
  mutating func string(
    _ json: Span<UInt8>, _ range: Range<Int>, _ frames: [Frame], _ positions: [UInt64],
    _ place: Place
  ) -> [UInt8]? {
    guard !range.isEmpty else { return nil }
    if ByteScan.endOfPlainText(json, range.lowerBound) >= range.upperBound {
      let text = json.extracting(range)
      guard let shown = replaced(text, json, frames, place) else { return nil }
      change(json, frames, shown, text)
      return PayloadWalk.quoted(shown)
    }
    var plain: [UInt8] = []
    JSONScan.unescape(json, range, into: &plain)
    if textDepth < PayloadWalk.textDepthLimit, PayloadWalk.isJSON(plain.span) {
      let outerPrefix = prefix
      prefix = path(json, frames) + [0x23]
      textDepth += 1
      let row = Array(positions.suffix(part == nil ? 0 : owner.paths.count))
      let inner = walk(plain.span, row, place)
      textDepth -= 1
      prefix = outerPrefix
      return inner.map(PayloadWalk.quoted)
    }
    guard let shown = replaced(plain.span, json, frames, place) else { return nil }
    change(json, frames, shown, plain.span)
    return PayloadWalk.quoted(shown)
  }

  /// The number as shown; `nil` when it stays.
  mutating func number(
    _ json: Span<UInt8>, _ range: Range<Int>, _ frames: [Frame], _ place: Place
  ) -> [UInt8]? {
    let token = json.extracting(range)
    let isNamed = place.name == .certain && token.count >= 4
    guard place.isHidden || isNamed || owner.isKnown(token) else { return nil }
    if owner.isShape, isKept(token, json, frames) { return nil }
    owner.remember(token)
    let shown = owner.surrogate.value([UInt8](copying: token), isNumber: true)
    change(json, frames, shown, token)
    return shown
  }

  private mutating func replaced(
    _ text: Span<UInt8>, _ json: Span<UInt8>, _ frames: [Frame], _ place: Place
  ) -> [UInt8]? {
    if place.isHidden {
      if owner.isShape, isKept(text, json, frames) { return nil }
      owner.remember(text)
      return owner.surrogate.value([UInt8](copying: text))
    }
    if place.name.isCredential(text) {
      let start = Credential.behindScheme(text, 0, text.count)
      return owner.replacing(text, [start..<text.count])
    }
    guard !looksAtNamesOnly else { return nil }
    if owner.isKnown(text) { return owner.surrogate.value([UInt8](copying: text)) }
    let ranges = owner.find(text)
    return ranges.isEmpty ? nil : owner.replacing(text, ranges)
  }

  private func isKept(_ text: Span<UInt8>, _ json: Span<UInt8>, _ frames: [Frame]) -> Bool {
    guard let part, text.count <= 64, textDepth == 0, let last = frames.last, last.isObject else {
      return false
    }
    var list = ""
    for frame in frames.dropLast().reversed() where frame.isObject {
      list = ByteScan.string(json, frame.key)
      break
    }
    return ShapeWords.keeps(
      ByteScan.string(text, 0..<text.count), key: ByteScan.string(json, last.key), list: list,
      depth: frames.count, part: part, method: method)
  }

  /// Notes that a value was replaced.
  mutating func change(
    _ json: Span<UInt8>, _ frames: [Frame], _ shown: [UInt8], _ text: Span<UInt8>
  ) {
    changes.append(
      .init(path: path(json, frames), text: shown, original: ByteScan.hash(text)))
  }

  /// The JSON Pointer of the place that is being read.
  private func path(_ json: Span<UInt8>, _ frames: [Frame]) -> [UInt8] {
    var path = prefix
    for frame in frames {
      path.append(0x2f)
      guard frame.isObject else {
        path += String(frame.index - 1).utf8
        continue
      }
      var key: [UInt8] = []
      if let shown = frame.shownKey {
        key = shown
      } else {
        JSONScan.unescape(json, frame.key, into: &key)
      }
      for byte in key {
        switch byte {
        case 0x7e: path += [0x7e, 0x30]
        case 0x2f: path += [0x7e, 0x31]
        case 0x23: path += [0x7e, 0x32]
        default: path.append(byte)
        }
      }
    }
    return path
  }

  /// Text as a JSON string.
  static func quoted(_ text: [UInt8]) -> [UInt8] {
    var out = OutputBytes(capacity: text.count + 2)
    out.appendJSONString(text.span)
    return Array(buffer: out.buffer)
  }

  /// Whether a text is an object or a list.
  private static func isJSON(_ text: Span<UInt8>) -> Bool {
    let start = JSONScan.skipSpace(text, 0)
    guard start < text.count, text[start] == 0x7b || text[start] == 0x5b,
      let end = JSONScan.skipValue(text, start)
    else { return false }
    return JSONScan.skipSpace(text, end) == text.count
  }
}
