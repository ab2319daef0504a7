/// Which shapes of secrets may begin with two bytes.
struct SecretIndex: Sendable {
  /// A bit for each pair of bytes.
  private let pairs: [UInt64]
  /// By first byte, places in `shapes`.
  private let starts: [UInt8]
  /// By first byte, how many.
  private let counts: [UInt8]
  private let shapes: [SecretShape]

  static let standard = SecretIndex(SecretShape.all)

  private init(_ all: [SecretShape]) {
    shapes = all.sorted { $0.prefix[0] < $1.prefix[0] }
    var pairs = [UInt64](repeating: 0, count: 1024)
    var starts = [UInt8](repeating: 0, count: 256)
    var counts = [UInt8](repeating: 0, count: 256)
    for (i, shape) in shapes.enumerated() {
      let first = Int(shape.prefix[0])
      let pair = first << 8 | Int(shape.prefix[1])
      pairs[pair >> 6] |= 1 << UInt64(pair & 63)
      if counts[first] == 0 { starts[first] = UInt8(i) }
      counts[first] += 1
    }
    (self.pairs, self.starts, self.counts) = (pairs, starts, counts)
  }

  /// Whether a shape begins with these bytes.
  @inline(__always)
  func mayBegin(_ first: UInt8, _ second: UInt8) -> Bool {
    let pair = Int(first) << 8 | Int(second)
    return pairs[pair >> 6] >> UInt64(pair & 63) & 1 == 1
  }

  /// The token that begins at `start`.
  func match(_ text: Span<UInt8>, _ start: Int) -> Range<Int>? {
    let first = Int(text[start])
    let from = Int(starts[first])
    for i in from..<from + Int(counts[first]) {
      if let end = shapes[i].end(text, start) {
        return (shapes[i].keepsPrefix ? start + shapes[i].prefix.count : start)..<end
      }
    }
    return nil
  }
}
