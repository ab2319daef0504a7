/// Names of members that are looked for, so that they can be told from others by a few bytes.
///
/// A list of few short names lies in the value itself: it is asked for every member by all threads, which would else count their
/// references to it in one place.
public struct JSONNames: Sendable {
  /// All names, one behind the other.
  private var text: [160 of UInt8] = .init(repeating: 0)
  /// Where each ends.
  private var ends: [16 of UInt8] = .init(repeating: 0)
  /// The number of names.
  public private(set) var count = 0
  /// A bit for each length that a name has.
  private var lengths: UInt64 = 0
  /// The names of a list that is too long for that.
  private var long: [[UInt8]] = []

  /// Creates a list of names, each once.
  public init(_ names: String...) { self.init(names) }

  /// Creates a list of names, each once.
  public init(_ names: [String]) {
    let size = names.reduce(0) { $0 + $1.utf8.count }
    guard names.count <= 16, size <= 160, names.allSatisfy({ $0.utf8.count < 64 }) else {
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
      count += 1
      lengths |= 1 << UInt64(name.utf8.count)
    }
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
    if !long.isEmpty { return long.firstIndex { ByteScan.isEqual($0.span, key) } }
    guard key.count < 64, lengths >> UInt64(key.count) & 1 == 1 else { return nil }
    let text = text.span
    var start = 0
    for i in 0..<count {
      let end = Int(ends[i])
      if end - start == key.count, ByteScan.isEqual(text.extracting(start..<end), key) { return i }
      start = end
    }
    return nil
  }
}
