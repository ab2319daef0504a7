/// An IPv4 or IPv6 address; IPv4 is kept as its IPv4-mapped form (RFC 4291 §2.5.5.2).
struct IPAddress: Hashable {
  var high: UInt64
  var low: UInt64

  init(ipv4: UInt32) {
    high = 0
    low = 0xffff_0000_0000 | UInt64(ipv4)
  }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The four bytes of an IPv4 address.
  var ipv4: UInt32? {
    high == 0 && low >> 32 == 0xffff ? UInt32(truncatingIfNeeded: low) : nil
  }

  static func < (a: IPAddress, b: IPAddress) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal, or the canonical text of RFC 5952.
  var description: String {
    if high == 0, low >> 32 == 0xffff {
      let bytes: [UInt64] = [low >> 24 & 0xff, low >> 16 & 0xff, low >> 8 & 0xff, low & 0xff]
      return bytes.map { String($0) }.joined(separator: ".")
    }
    var groups: [UInt64] = []
    for half in [high, low] {
      groups += [half >> 48, half >> 32 & 0xffff, half >> 16 & 0xffff, half & 0xffff]
    }
    var best = 0..<0
    var i = 0
    while i < 8 {
      var end = i
      while end < 8, groups[end] == 0 { end += 1 }
      if end - i > best.count { best = i..<end }
      i = max(end, i + 1)
    }
    func text(_ range: Range<Int>) -> String {
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard best.count >= 2 else { return text(0..<8) }
    return text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
  }
}
