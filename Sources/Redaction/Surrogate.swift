import Basics

/// The surrogate of a value: of the same type, length in bytes and shape; the same for equal values under one key.
///
/// Theory: a keyed code of the whole value decides every letter and digit, so that nothing can be turned back and what flows from an
/// answer into a request or a header still matches. Letters become letters of their case, digits digits, hex stays hex, numbers stay
/// valid numbers with as many digits, bytes of other characters become letters; punctuation and white space stay. What has neither
/// letters nor digits becomes letters.
struct Surrogate {
  let key: RedactionKey

  /// Digits from which a number stays below what it was, so that it fits where that fitted.
  private static let largeNumber = 16

  /// What a value's letters and digits are made of.
  private enum Shape {
    case text, lowerHex, upperHex, number, marks
  }

  /// Returns the surrogate of a string, or of a number's token.
  func value(_ bytes: [UInt8], isNumber: Bool = false) -> [UInt8] {
    guard !bytes.isEmpty else { return [] }
    var noise = key.noise(of: bytes)
    let shape = shape(bytes, isNumber: isNumber)
    var out = bytes
    if shape == .number {
      number(&out, &noise)
    } else {
      let hexDigits = shape == .upperHex ? Surrogate.upperDigits : Surrogate.lowerDigits
      let isHex = shape == .lowerHex || shape == .upperHex
      for i in out.indices {
        switch out[i] {
        case 0x30...0x39 where isHex, 0x61...0x66 where isHex, 0x41...0x46 where isHex:
          out[i] = hexDigits[Int(noise.next(below: 16))]
        case 0x30...0x39: out[i] = 0x30 + noise.next(below: 10)
        case 0x41...0x5a: out[i] = 0x41 + noise.next(below: 26)
        case 0x61...0x7a, 0x80...: out[i] = 0x61 + noise.next(below: 26)
        case 0x21...0x7e where shape == .marks: out[i] = 0x61 + noise.next(below: 26)
        default: break
        }
      }
    }
    if out == bytes { change(&out) }
    return out
  }

  private static let lowerDigits = Array("0123456789abcdef".utf8)
  private static let upperDigits = Array("0123456789ABCDEF".utf8)

  private func shape(_ bytes: [UInt8], isNumber: Bool) -> Shape {
    if isNumber { return .number }
    var (digits, lower, upper, dashes, dots, others) = (0, 0, 0, 0, 0, 0)
    var isWord = false
    for byte in bytes {
      switch byte {
      case 0x30...0x39: digits += 1
      case 0x61...0x66: lower += 1
      case 0x41...0x46: upper += 1
      case 0x2d: dashes += 1
      case 0x2e: dots += 1
      default:
        others += 1
        if (byte | 0x20) &- 0x61 < 26 || byte >= 0x80 { isWord = true }
      }
    }
    let letters = lower + upper
    if digits + letters == 0, !isWord { return .marks }
    if others == 0, letters == 0, dots <= 1,
      JSONScan.skipNumber(bytes.span, 0) == bytes.count
    {
      return .number
    }
    guard others == 0, dots == 0, bytes.count >= 8, letters > 0 else { return .text }
    if upper == 0 { return .lowerHex }
    return lower == 0 ? .upperHex : .text
  }

  /// Sign, point and exponent stay; the first of several digits is not 0.
  private func number(_ out: inout [UInt8], _ noise: inout Noise) {
    var i = 0
    if out[0] == 0x2d { i = 1 }
    let start = i
    while i < out.count, out[i] &- 0x30 < 10 { i += 1 }
    let count = i - start
    for k in start..<i {
      let digit = out[k] - 0x30
      if count >= Surrogate.largeNumber, k < start + 2 {
        // The first stays and the second does not grow.
        if k == start + 1 { out[k] = 0x30 + noise.next(below: UInt64(digit) + 1) }
      } else if k == start, count > 1 {
        out[k] = 0x31 + noise.next(below: 9)
      } else {
        out[k] = 0x30 + noise.next(below: 10)
      }
    }
    guard i < out.count, out[i] == 0x2e else { return }
    i += 1
    while i < out.count, out[i] &- 0x30 < 10 {
      out[i] = 0x30 + noise.next(below: 10)
      i += 1
    }
  }

  /// Short values may be their own surrogates by chance.
  private func change(_ out: inout [UInt8]) {
    for i in out.indices.reversed() {
      switch out[i] {
      case 0x30...0x38, 0x61...0x65, 0x41...0x45: out[i] += 1
      case 0x39: out[i] = out.count == 1 || i > 0 ? 0x30 : 0x31
      case 0x66...0x7a: out[i] = 0x61
      case 0x46...0x5a: out[i] = 0x41
      default: continue
      }
      return
    }
  }
}
