/// Names of members that are looked for, so that they can be told from others by a few bytes.
public struct JSONNames: Sendable {
  /// All names, one behind the other.
  private let text: [UInt8]
  /// Where each ends.
  private let ends: [Int]

  /// The number of names.
  public var count: Int { ends.count }

  /// Creates a list of names, each once.
  public init(_ names: String...) { self.init(names) }

  /// Creates a list of names, each once.
  public init(_ names: [String]) {
    var text: [UInt8] = []
    var ends: [Int] = []
    for name in names {
      text += name.utf8
      ends.append(text.count)
    }
    self.text = text
    self.ends = ends
  }

  /// Returns the index of the name that lies in `range` of a JSON text, without its quotes; `nil` when it is none of them.
  func index(_ json: Span<UInt8>, _ range: Range<Int>) -> Int? {
    let key = json.extracting(range)
    if let found = index(key) { return found }
    guard ByteScan.firstIndex(of: 0x5c, in: key, from: 0) != nil else { return nil }
    let plain = Array(JSONValue.unescape(json, range.lowerBound, range.upperBound).utf8)
    return index(plain.span)
  }

  private func index(_ key: Span<UInt8>) -> Int? {
    let text = text.span
    var start = 0
    for i in ends.indices {
      let end = ends[i]
      if end - start == key.count, ByteScan.isEqual(text.extracting(start..<end), key) { return i }
      start = end
    }
    return nil
  }
}
