import Basics
import NIOCore

/// Goes through a JSON text once and writes it again where something of it is replaced; what stays is copied as it is.
///
/// A loop with a frame for each open bracket, not a recursion: deep input costs no stack. Only JSON that a string holds is a walk of its
/// own, at most `textDepthLimit` deep (`ScalarWalk` of the flow of values goes as deep); what is deeper is text.
struct PayloadWalk {
  static let textDepthLimit = 3

  /// An open bracket, and the member or element of it that is being read.
  struct Frame {
    var isObject: Bool
    /// Whether all in it is replaced.
    var isHidden: Bool
    /// What the name of the member that holds this list says.
    var name: CredentialName
    /// The member's name without quotes, and as shown where that differs.
    var key = 0..<0
    var shownKey: [UInt8]?
    var index = 0
  }

  /// Where a value stands.
  struct Place {
    var isHidden: Bool
    var name: CredentialName
  }

  let owner: PayloadRedactor
  let part: PayloadPart?
  let method: String
  let looksAtNamesOnly: Bool
  var changes: [RedactedPayload.Change] = []
  /// What leads to the text that is walked.
  var prefix: [UInt8] = []
  var textDepth = 0

  init(
    _ owner: PayloadRedactor, _ part: PayloadPart?, _ method: String,
    looksAtNamesOnly: Bool = false
  ) {
    self.owner = owner
    self.part = part
    self.method = method
    self.looksAtNamesOnly = looksAtNamesOnly
  }

  /// Returns the payload as it may be shown.
  mutating func payload(_ json: RawJSON) -> RedactedPayload {
    var positions: [UInt64] = []
    var isHidden = owner.isShape && part != nil
    if let part {
      let name = part.rawValue
      for path in owner.paths {
        let next = path.next(path.start, name.utf8Span.span)
        if path.isEnd(next) { isHidden = true }
        positions.append(next)
      }
    }
    let bytes = json.bytes
    let span = bytes.readableBytesUInt8Span
    guard let out = walk(span, positions, Place(isHidden: isHidden, name: .none)) else {
      return RedactedPayload(json)
    }
    var payload = RedactedPayload(RawJSON(trusted: ByteBuffer(bytes: out)))
    payload.changes = changes
    return payload
  }

  /// Walks one JSON text, which is valid; returns it where something was replaced.
  mutating func walk(
    _ json: Span<UInt8>, _ root: [UInt64], _ rootPlace: Place
  ) -> [UInt8]? {
    var frames: [Frame] = []
    /// Positions on the ways of all patterns, a row for each frame.
    var positions = root
    var place = rootPlace
    var out: [UInt8] = []
    var copied = 0
    func emit(_ range: Range<Int>, _ text: [UInt8]) {
      if out.isEmpty { out.reserveCapacity(json.count) }
      out.append(contentsOf: [UInt8](copying: json.extracting(copied..<range.lowerBound)))
      out += text
      copied = range.upperBound
    }
    var i = JSONScan.skipSpace(json, 0)
    while i < json.count {
      let byte = json[i]
      switch byte {
      case 0x7b, 0x5b:
        i = JSONScan.skipSpace(json, i + 1)
        guard i < json.count else { return nil }
        guard json[i] == byte + 2 else {
          frames.append(
            Frame(
              isObject: byte == 0x7b, isHidden: place.isHidden,
              name: byte == 0x5b ? place.name : .none))
          guard enter(json, &i, &frames, &positions, &place, emit) else { return nil }
          continue
        }
        i += 1
      case 0x22:
        guard let end = JSONScan.skipString(json, i) else { return nil }
        if let text = string(json, i + 1..<end - 1, frames, positions, place) {
          emit(i..<end, text)
        }
        i = end
      case 0x2d, 0x30...0x39:
        guard let end = JSONScan.skipNumber(json, i) else { return nil }
        if let text = number(json, i..<end, frames, place) { emit(i..<end, text) }
        i = end
      default:
        guard let end = JSONScan.skipLiteral(json, i) else { return nil }
        // Of a truth value that a rule names, only the type may be seen.
        if byte == 0x74, place.isHidden, !owner.isShape {
          let text = Array("false".utf8)
          change(json, frames, text, json.extracting(i..<end))
          emit(i..<end, text)
        }
        i = end
      }
      while true {
        guard let last = frames.last else {
          guard copied > 0 else { return nil }
          out.append(contentsOf: [UInt8](copying: json.extracting(copied..<json.count)))
          return out
        }
        i = JSONScan.skipSpace(json, i)
        guard i < json.count else { return nil }
        if json[i] == 0x2c {
          i = JSONScan.skipSpace(json, i + 1)
          positions.removeLast(root.count)
          guard enter(json, &i, &frames, &positions, &place, emit) else { return nil }
          break
        }
        guard json[i] == (last.isObject ? 0x7d : 0x5d) else { return nil }
        positions.removeLast(root.count)
        frames.removeLast()
        i += 1
      }
    }
    return nil
  }

  /// Goes on to the next member or element of the innermost bracket: reads its name and tells what the rules say of its place.
  private mutating func enter(
    _ json: Span<UInt8>, _ i: inout Int, _ frames: inout [Frame], _ positions: inout [UInt64],
    _ place: inout Place, _ emit: (Range<Int>, [UInt8]) -> Void
  ) -> Bool {
    let top = frames.count - 1
    let count = owner.paths.count
    var name = frames[top].name
    var isHidden = frames[top].isHidden
    func step(_ key: Span<UInt8>) {
      guard count > 0, part != nil else { return }
      let row = positions.count - count
      for k in 0..<count {
        let next = owner.paths[k].next(positions[row + k], key)
        if owner.paths[k].isEnd(next) { isHidden = true }
        positions.append(next)
      }
    }
    guard frames[top].isObject else {
      step(Array(String(frames[top].index).utf8).span)
      frames[top].index += 1
      place = Place(isHidden: isHidden, name: name)
      return true
    }
    guard i < json.count, json[i] == 0x22, let behind = JSONScan.skipString(json, i) else {
      return false
    }
    let range = i + 1..<behind - 1
    frames[top].key = range
    frames[top].shownKey = nil
    let key = json.extracting(range)
    if ByteScan.endOfPlainText(json, range.lowerBound) >= range.upperBound {
      step(key)
      name = names(frames, json) ? CredentialName(key) : .none
      if let shown = shownKey(key) {
        emit(range, shown)
        frames[top].shownKey = shown
      }
    } else {
      var plain: [UInt8] = []
      JSONScan.unescape(json, range, into: &plain)
      step(plain.span)
      name = names(frames, json) ? CredentialName(plain.span) : .none
      if let shown = shownKey(plain.span) {
        emit(i..<behind, PayloadWalk.quoted(shown))
        frames[top].shownKey = shown
      }
    }
    i = JSONScan.skipSpace(json, behind)
    guard i < json.count, json[i] == 0x3a else { return false }
    i = JSONScan.skipSpace(json, i + 1)
    place = Place(isHidden: isHidden, name: name)
    return i < json.count
  }

  /// Whether names of members tell credentials here.
  private func names(_ frames: [Frame], _ json: Span<UInt8>) -> Bool {
    switch owner.names {
    case .everywhere: return true
    case .nowhere: return false
    case .meta:
      return textDepth == 0
        && ByteScan.isEqual(json.extracting(frames[0].key), "_meta".utf8Span.span)
    }
  }

  /// Names of members are structure and stay; but what looks like a secret is one.
  private func shownKey(_ key: Span<UInt8>) -> [UInt8]? {
    guard !looksAtNamesOnly, owner.looksIntoText, key.count >= SecretScanner.knownLeast else {
      return nil
    }
    return owner.text(key)
  }
}
