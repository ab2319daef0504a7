/// Names of members that are looked for, so that they can be told from others by a few bytes.
///
/// To be handed on as `borrowing`: a list is asked for every member by all threads, which would else count their references to its
/// arrays in one place.
public struct JSONNames: Sendable {
  private struct Name {
    /// Its first eight bytes.
    var head: UInt64
    var start: Int
    var count: Int
    /// The next name with the same mark, counted from 1.
    var next: UInt8
  }

  private var names: [Name] = []
  /// All names, one behind the other.
  private var text: [UInt8] = []
  /// For each mark the first name that has it, counted from 1.
  private var firsts = [UInt8](repeating: 0, count: 64)

  /// The number of names.
  public var count: Int { names.count }

  /// Creates a list of names, each once; traps when there are more than 255.
  public init(_ names: String...) { self.init(names) }

  /// Creates a list of names, each once; traps when there are more than 255.
  public init(_ names: [String]) {
    for name in names {
      let bytes = name.utf8Span.span
      let mark = JSONNames.mark(bytes)
      self.names.append(
        Name(
          head: ByteScan.head(bytes), start: text.count, count: bytes.count, next: firsts[mark]))
      firsts[mark] = UInt8(self.names.count)
      text += name.utf8
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

  @inline(__always)
  private func index(_ key: Span<UInt8>) -> Int? {
    var next = firsts[JSONNames.mark(key)]
    guard next > 0 else { return nil }
    let head = ByteScan.head(key)
    repeat {
      let i = Int(next) &- 1
      if names[i].head == head, names[i].count == key.count, isTail(key, i) { return i }
      next = names[i].next
    } while next > 0
    return nil
  }

  /// Few names have the same: it tells most others apart.
  @inline(__always)
  private static func mark(_ key: Span<UInt8>) -> Int {
    let first = key.count > 0 ? Int(key[0]) : 0
    return (first &* 7 &+ key.count) & 63
  }

  /// Whether what is behind the first eight bytes of a key stands so in a name of the same length.
  @inline(__always)
  private func isTail(_ key: Span<UInt8>, _ i: Int) -> Bool {
    guard key.count > 8 else { return true }
    let start = names[i].start
    for k in 8..<key.count where text[start + k] != key[k] { return false }
    return true
  }
}
