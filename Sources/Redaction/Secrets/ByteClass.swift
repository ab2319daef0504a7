/// Classes of bytes that tokens are made of, as bits.
struct ByteClass: OptionSet {
  let rawValue: UInt16

  static let digit = ByteClass(rawValue: 1)
  static let upper = ByteClass(rawValue: 2)
  static let lower = ByteClass(rawValue: 4)
  static let underscore = ByteClass(rawValue: 8)
  static let dash = ByteClass(rawValue: 16)
  static let dot = ByteClass(rawValue: 32)
  /// `+` and `/`
  static let base64 = ByteClass(rawValue: 64)
  static let equals = ByteClass(rawValue: 128)
  /// `~`
  static let tilde = ByteClass(rawValue: 256)
  /// `0` to `9`, `a` to `f`
  static let hex = ByteClass(rawValue: 512)
  static let colon = ByteClass(rawValue: 1024)
  /// What ends a value in a text: white space, quotes, commas, brackets.
  static let end = ByteClass(rawValue: 2048)
  /// A byte at which something other than a word may begin: `- : = . ~ >`
  static let mark = ByteClass(rawValue: 4096)

  static let alnum: ByteClass = [.digit, .upper, .lower]
  static let word: ByteClass = [.digit, .upper, .lower, .underscore]
  static let urlSafe: ByteClass = [.digit, .upper, .lower, .underscore, .dash]
  static let opaque: ByteClass = [.digit, .upper, .lower, .underscore, .dash, .base64]

  /// The classes of each byte.
  static let table: [UInt16] = (0..<256).map { code in
    let byte = UInt8(code)
    var classes: ByteClass = []
    switch byte {
    case 0x30...0x39: classes = [.digit, .hex]
    case 0x41...0x5a: classes = .upper
    case 0x61...0x66: classes = [.lower, .hex]
    case 0x67...0x7a: classes = .lower
    case 0x5f: classes = .underscore
    case 0x2d: classes = [.dash, .mark]
    case 0x2e: classes = [.dot, .mark]
    case 0x2b, 0x2f: classes = .base64
    case 0x3d: classes = [.equals, .mark]
    case 0x7e: classes = [.tilde, .mark]
    case 0x3a: classes = [.colon, .mark]
    case 0x3e: classes = [.mark, .end]
    case 0...0x20, 0x22, 0x27, 0x60, 0x2c, 0x3b, 0x26, 0x3c, 0x28, 0x29, 0x5b, 0x5d, 0x7b, 0x7d,
      0x7c,
      0x5c:
      classes = .end
    default: break
    }
    return classes.rawValue
  }
}
