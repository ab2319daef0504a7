import Crypto

/// A key that makes surrogates; equal keys give equal surrogates, so that recorders of one service can be merged.
public struct RedactionKey: Sendable {
  private let key: SymmetricKey

  /// Wraps key material of any length.
  public init(bytes: [UInt8]) { key = SymmetricKey(data: bytes) }

  private init(key: SymmetricKey) { self.key = key }

  /// Returns a fresh key of 256 bits.
  public static func random() -> RedactionKey { RedactionKey(key: SymmetricKey(size: .bits256)) }

  /// Names the key without giving it away: eight hex digits.
  public var id: String { name(of: "mcptrace key id") }

  /// Names a text without giving it away: eight hex digits.
  func name(of text: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    var name = ""
    for byte in code.prefix(4) {
      name += byte < 16 ? "0" : ""
      name += String(byte, radix: 16)
    }
    return name
  }

  /// The noise that a value's surrogate is made of.
  func noise(of value: [UInt8]) -> Noise {
    var words: [UInt64] = [0, 0, 0, 0]
    let code = HMAC<SHA256>.authenticationCode(for: value, using: key)
    for (i, byte) in code.enumerated() where i < 32 {
      words[i / 8] |= UInt64(byte) << UInt64(i % 8 * 8)
    }
    return Noise(words)
  }
}

/// Bytes as many as wanted from one code: xoshiro256** (Blackman, Vigna 2018).
///
/// The code gives nothing of the value away without the key, so what is made of it need not hide the code.
struct Noise {
  private var state: (UInt64, UInt64, UInt64, UInt64)
  private var word: UInt64 = 0
  private var left = 0

  init(_ words: [UInt64]) {
    // All zero is the one state that stays.
    state = (words[0] | 1, words[1], words[2], words[3])
  }

  /// The next number below `limit`, which is at most 256.
  mutating func next(below limit: UInt64) -> UInt8 {
    if left == 0 {
      word = nextWord()
      left = 4
    }
    let part = word & 0xffff
    word >>= 16
    left -= 1
    return UInt8(truncatingIfNeeded: (part * limit) >> 16)
  }

  private mutating func nextWord() -> UInt64 {
    func rotated(_ x: UInt64, _ by: UInt64) -> UInt64 { x << by | x >> (64 - by) }
    let result = rotated(state.1 &* 5, 7) &* 9
    let t = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= t
    state.3 = rotated(state.3, 45)
    return result
  }
}
