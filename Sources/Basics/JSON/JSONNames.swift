/// Names of members that are looked for, so that they can be told from others by a few bytes.
///
/// A list of few short names lies in the value itself: it is asked for every member by all threads, which would else count their
/// references to it in one place.
public struct JSONNames: Sendable {
  /// All names, one behind the other.
  private var text: [160 of UInt8] = .init(repeating: 0)
  /// Where each ends.
  private var ends: [16 of UInt8] = .init(repeating: 0)
  /// The first eight bytes of each.
  private var heads: [16 of UInt64] = .init(repeating: 0)
  /// The number of names.
  public private(set) var count = 0
  /// A bit for each mark that a name has.
  private var marks: UInt64 = 0
  /// The names of a list that is too long for that.
  private var long: [[UInt8]] = []

  /// Creates a list of names, each once.
  public init(_ names: String...) { self.init(names) }

  /// Creates a list of names, each once.
  public init(_ names: [String]) {
    let size = names.reduce(0) { $0 + $1.utf8.count }
    guard names.count <= 16, size <= 160, names.allSatisfy({ !$0.isEmpty }) else {
      long = names.map { Array($0.utf8) }
      count = names.count
      return
    }
    var end = 0
    for name in names {
      for byte in name.utf8 {
        text[end] = byte
        end += 1
      }
      ends[count] = UInt8(end)
      heads[count] = ByteScan.head(name.utf8Span.span)
      count += 1
      marks |= 1 << JSONNames.mark(name.utf8Span.span)
    }
  }

  /// Returns the index of the name that lies in `range` of a JSON text, without its quotes; `nil` when it is none of them.
  public func index(_ json: Span<UInt8>, _ range: Range<Int>) -> Int? {
    let key = json.extracting(range)
    if let found = index(key) { return found }
    guard ByteScan.firstIndex(of: 0x5c, in: key, from: 0) != nil else { return nil }
    let plain = Array(JSONValue.unescape(json, range.lowerBound, range.upperBound).utf8)
    return index(plain.span)
  }

  private func index(_ key: Span<UInt8>) -> Int? {
    if !long.isEmpty { return long.firstIndex { ByteScan.isEqual($0.span, key) } }
    guard key.count > 0, marks >> JSONNames.mark(key) & 1 == 1 else { return nil }
    let head = ByteScan.head(key)
    let (heads, ends) = (heads, ends)
    let (allHeads, allEnds) = (heads.span, ends.span)
    var start: UInt8 = 0
    for i in 0..<count {
      let end = allEnds[i]
      if allHeads[i] == head, Int(end - start) == key.count, isTail(key, Int(start)) { return i }
      start = end
    }
    return nil
  }

  /// Few names have the same: it tells most others apart.
  @inline(__always)
  private static func mark(_ key: Span<UInt8>) -> UInt64 {
    UInt64(truncatingIfNeeded: Int(key[0]) &* 7 &+ key.count) & 63
  }

  /// Whether what is behind the first eight bytes of a key stands so in the text of the name that begins at `start`.
  private func isTail(_ key: Span<UInt8>, _ start: Int) -> Bool {
    guard key.count > 8 else { return true }
    let text = text
    let all = text.span
    for k in 8..<key.count where all[start + k] != key[k] { return false }
    return true
  }
}
