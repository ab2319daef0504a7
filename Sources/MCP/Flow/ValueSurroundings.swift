import Basics
import Trace

/// The literal text around a value in a longer text: how it is found again in a text of which other parts differ.
///
/// Theory: what a server says around a value is as fixed as the sentence it was put into, but other values in it are not. So the text
/// before is as short as it can be without fitting earlier in the text too, and ends where possible before a digit; behind the value the
/// mark that ended it is enough.
struct ValueSurroundings {
  var before: Range<Int>
  var after: Range<Int>

  /// Longest text before a value, bytes.
  private static let beforeLimit = 96
  private static let afterLimit = 4

  /// Nothing around it.
  static let none = ValueSurroundings()

  private init() {
    before = 0..<0
    after = 0..<0
  }

  /// Surroundings of the value at `range`; `nil` when nothing tells it from an earlier place.
  init?(_ text: Span<UInt8>, _ range: Range<Int>) {
    after = range.upperBound..<range.upperBound
    while after.upperBound < text.count, after.count < ValueSurroundings.afterLimit,
      !ValueSurroundings.isWord(text[after.upperBound])
    {
      after = after.lowerBound..<after.upperBound + 1
    }
    if after.upperBound < text.count, after.isEmpty {
      after = after.lowerBound..<after.lowerBound + 1
    }
    // Never a part of a character.
    while after.upperBound < text.count, text[after.upperBound] & 0xc0 == 0x80 {
      after = after.lowerBound..<after.upperBound + 1
    }
    var start = range.lowerBound
    let first = max(0, start - ValueSurroundings.beforeLimit)
    before = start..<start
    while true {
      // Back to the next place worth trying: behind a digit or a line's end, or the beginning.
      let last = start
      while start > first, start == last || !ValueSurroundings.isBorder(text[start - 1]) {
        start -= 1
      }
      while start > first, text[start] & 0xc0 == 0x80 { start -= 1 }
      before = start..<range.lowerBound
      if start == 0 || ValueSurroundings.isFirst(text, before) { return }
      if start == first || start == last { return nil }
    }
  }

  /// The surroundings as they stand in a text.
  func texts(_ text: Span<UInt8>) -> ValueUse.Surroundings {
    .init(before: ByteScan.string(text, before), after: ByteScan.string(text, after))
  }

  /// Whether what stands before the value stands nowhere earlier.
  private static func isFirst(_ text: Span<UInt8>, _ before: Range<Int>) -> Bool {
    guard before.count >= 2 else { return false }
    let wanted = text.extracting(before)
    var i = 0
    while let found = ByteScan.firstIndex(of: wanted[0], in: text, from: i),
      found < before.lowerBound
    {
      if ByteScan.isEqual(text.extracting(found..<found + before.count), wanted) { return false }
      i = found + 1
    }
    return true
  }

  private static func isBorder(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || byte == 0x0a }

  private static func isWord(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte >= 0x80
  }
}
