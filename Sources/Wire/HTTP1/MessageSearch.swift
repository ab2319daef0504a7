import Basics

/// Finds where a message begins in the middle of bytes that can't be framed: behind a gap, garbage, or a late start.
///
/// Theory: a body may hold anything, so a beginning is believed only with its whole head: a start line with a registered
/// method (or a status) and an HTTP/1 version, and nothing but field lines up to the empty line. JSON can't hold that,
/// its strings have no raw line ends. A head without any field is believed only where a chunk of the capture begins,
/// as senders write messages. Where bytes end too early to tell, they are kept until more came.
enum MessageSearch {
  enum Result: Equatable {
    /// None begins before this index, and what is behind it is too short to tell.
    case none(upTo: Int)
    /// One begins here.
    case start(Int)
  }

  /// Longest head that is looked for (Node and nginx stop at 16 and 32 KiB).
  static let headLimit = 16 << 10

  /// Looks at `bytes` from `start` on; they begin with a chunk's first byte where `isChunkStart`.
  static func find(
    _ bytes: Span<UInt8>, from start: Int = 0, request: Bool, isChunkStart: Bool
  ) -> Result {
    var i = start
    while let start = candidate(bytes, from: i, request: request) {
      switch verify(bytes, start, request: request, mayBeBare: isChunkStart && start == 0) {
      case true: return .start(start)
      case nil: return .none(upTo: start)
      default: i = start + 1
      }
    }
    return .none(upTo: bytes.count)
  }

  /// The next index where a start line may begin.
  private static func candidate(_ bytes: Span<UInt8>, from start: Int, request: Bool) -> Int? {
    var i = start
    if !request {
      while let letter = ByteScan.firstIndex(of: 0x48, in: bytes, from: i) {
        if StartLine.begins(bytes, letter, with: "HTTP/1.") { return letter }
        i = letter + 1
      }
      return nil
    }
    // A method's end is rarer than its letters.
    while let space = ByteScan.firstIndex(of: 0x20, in: bytes, from: i) {
      if let method = methodBefore(bytes, space), method >= start { return method }
      i = space + 1
    }
    return tail(bytes, from: start)
  }

  /// Where the registered method that ends at `space` begins.
  private static func methodBefore(_ bytes: Span<UInt8>, _ space: Int) -> Int? {
    var letter = space
    while letter > 0, space - letter < 16, isMethodLetter(bytes[letter - 1]) { letter -= 1 }
    while space - letter >= 3 {
      if StartLine.methods.contains(ByteScan.string(bytes, letter..<space)) { return letter }
      letter += 1
    }
    return nil
  }

  /// Where a method may begin that the bytes end in the middle of.
  private static func tail(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    var letter = bytes.count
    while letter > start, bytes.count - letter < 16, isMethodLetter(bytes[letter - 1]) {
      letter -= 1
    }
    while letter < bytes.count {
      let text = ByteScan.string(bytes, letter..<bytes.count)
      if StartLine.methods.contains(where: { $0.hasPrefix(text) }) { return letter }
      letter += 1
    }
    return nil
  }

  private static func isMethodLetter(_ byte: UInt8) -> Bool {
    byte >= 0x41 && byte <= 0x5a || byte == 0x5f || byte == 0x2d
  }

  /// Whether a head begins at `start`; `nil` when its bytes are not all there.
  private static func verify(
    _ bytes: Span<UInt8>, _ start: Int, request: Bool, mayBeBare: Bool
  ) -> Bool? {
    let limit = min(bytes.count, start + headLimit)
    let unknown: Bool? = limit == bytes.count ? nil : false
    guard let lf = lineEnd(bytes, start, limit) else {
      return (start..<limit).allSatisfy { bytes[$0] >= 0x20 || bytes[$0] == 0x0d } ? unknown : false
    }
    guard isStartLine(bytes, start..<lf, request: request) else { return false }
    var line = lf + 1
    while let lf = lineEnd(bytes, line, limit) {
      let isEmpty = lf == line || (lf == line + 1 && bytes[line] == 0x0d)
      if isEmpty { return mayBeBare || line > firstField(bytes, start) }
      guard HTTP1Head.isField(bytes, line) || bytes[line] == 0x20 || bytes[line] == 0x09 else {
        return false
      }
      line = lf + 1
    }
    return (line..<limit).allSatisfy { bytes[$0] >= 0x20 || bytes[$0] == 0x0d || bytes[$0] == 0x09 }
      ? unknown : false
  }

  /// A start line as clients and servers write it.
  private static func isStartLine(_ bytes: Span<UInt8>, _ line: Range<Int>, request: Bool) -> Bool {
    guard request else { return StartLine.status(bytes, line) != nil }
    guard let parts = StartLine.request(bytes, line), parts.hasVersion else { return false }
    return parts.target.allSatisfy { bytes[$0] > 0x20 }
  }

  private static func lineEnd(_ bytes: Span<UInt8>, _ from: Int, _ limit: Int) -> Int? {
    guard let lf = ByteScan.firstIndex(of: 0x0a, in: bytes, from: from), lf < limit else {
      return nil
    }
    return lf
  }

  private static func firstField(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    (ByteScan.firstIndex(of: 0x0a, in: bytes, from: start) ?? start) + 1
  }
}
