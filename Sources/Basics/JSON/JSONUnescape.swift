extension JSONScan {
  /// Appends the text that a checked JSON string stands for, in UTF-8; `range` is without its quotes.
  ///
  /// Half of a surrogate pair becomes U+FFFD. O(n).
  public static func unescape(_ s: Span<UInt8>, _ range: Range<Int>, into out: inout [UInt8]) {
    let to = range.upperBound
    out.reserveCapacity(out.count + range.count)
    var i = range.lowerBound
    func unit(_ at: Int) -> UInt32 {
      var value: UInt32 = 0
      for k in at..<at + 4 { value = value << 4 | UInt32(hexValue(s[k]) ?? 0) }
      return value
    }
    while i < to {
      let plain = min(ByteScan.endOfPlainText(s, i), to)
      for k in i..<plain { out.append(s[k]) }
      i = plain
      guard i < to else { break }
      guard s[i] == 0x5c else {
        out.append(s[i])
        i += 1
        continue
      }
      switch s[i + 1] {
      case 0x62: out.append(0x08)
      case 0x66: out.append(0x0c)
      case 0x6e: out.append(0x0a)
      case 0x72: out.append(0x0d)
      case 0x74: out.append(0x09)
      case 0x75:
        var scalar = unit(i + 2)
        if scalar >> 10 == 0x36, i + 12 <= to, s[i + 6] == 0x5c, s[i + 7] == 0x75 {
          let low = unit(i + 8)
          if low >> 10 == 0x37 {
            scalar = 0x10000 + (scalar & 0x3ff) << 10 + (low & 0x3ff)
            i += 6
          }
        }
        out += Array(String(Unicode.Scalar(scalar).map(Character.init) ?? "\u{fffd}").utf8)
        i += 4
      default: out.append(s[i + 1])
      }
      i += 2
    }
  }
}
