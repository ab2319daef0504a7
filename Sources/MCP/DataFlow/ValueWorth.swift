/// Whether a value tells enough to be known again: the guard against coincidences.
///
/// Theory: two equal values prove that one came from the other as far as they could have been different. Ids, handles, URLs, paths,
/// coordinates and long numbers could; small and round numbers, booleans, dates, words (states, enumerations, names) and versions
/// could not, so they are never taken for a use. The rules look at the shape of a value alone, never at what others are there.
struct ValueWorth {
  /// Shorter texts and longer ones are no handles.
  static let lengths = 4...1024

  private var digits = 0
  private var lower = 0
  private var upper = 0
  private var slashes = 0
  private var others = 0
  /// Changes between upper and lower case behind the first letter.
  private var turns = 0
  private var hasAt = false
  private var hasScheme = false
  private var hasDot = false
  private var count = 0

  /// Looks at a text; `nil` for one with white space, which is no value.
  private init?(_ text: Span<UInt8>) {
    count = text.count
    var last: UInt8 = 0
    for i in text.indices {
      let byte = text[i]
      switch byte {
      case 0x30...0x39: digits += 1
      case 0x61...0x7a:
        lower += 1
        if last == 2 { turns += 1 }
        last = 1
      case 0x41...0x5a:
        upper += 1
        if last == 1 { turns += 1 }
        last = 2
      case 0x20, 0x09, 0x0a, 0x0d: return nil
      case 0x2f:
        slashes += 1
        if i >= 2, text[i - 1] == 0x2f, text[i - 2] == 0x3a { hasScheme = true }
      case 0x40: hasAt = i > 0
      case 0x2e: hasDot = true
      default: others += 1
      }
    }
  }

  /// Returns whether the text of a string is worth it.
  static func isWorth(_ text: Span<UInt8>) -> Bool {
    guard lengths.contains(text.count) else { return false }
    return ValueWorth(text)?.isWorth(text) ?? false
  }

  private func isWorth(_ text: Span<UInt8>) -> Bool {
    if hasScheme { return count >= 8 }
    if hasAt && hasDot { return count >= 6 }
    let letters = lower + upper
    if digits == 0 {
      // A path, or letters at random; all else are words.
      if slashes > 0 { return count >= 8 && (slashes >= 2 || hasDot) }
      return count >= 12 && others == 0 && turns >= 4
    }
    if letters == 0 {
      if digits == count { return ValueWorth.isWorthInteger(text) }
      return digits >= 8 && !ValueWorth.isDate(text)
    }
    if ValueWorth.isDate(text) || ValueWorth.isQuantity(text) { return false }
    if slashes > 0 || count >= 8 { return digits >= 2 || !ValueWorth.isNumberedWord(text) }
    if count >= 6 { return digits >= 2 || (upper > 0 && !ValueWorth.isNumberedWord(text)) }
    return digits >= 2 && (upper > 0 || others > 0)
  }

  /// Returns whether a number's token is worth it.
  static func isWorth(number token: Span<UInt8>) -> Bool {
    guard token.count >= 5, token.count <= 24 else { return false }
    var i = token[0] == 0x2d ? 1 : 0
    let start = i
    while i < token.count, token[i] &- 0x30 < 10 { i += 1 }
    if i == token.count { return isWorthInteger(token.extracting(start..<i)) }
    // A decimal: as many digits as a coordinate has, an exponent is a measurement's.
    guard token[i] == 0x2e else { return false }
    let fraction = i + 1
    i = fraction
    while i < token.count, token[i] &- 0x30 < 10 { i += 1 }
    guard i == token.count else { return false }
    while i > fraction, token[i - 1] == 0x30 { i -= 1 }
    return i - fraction >= 3 && (i - start) >= 6
  }

  /// Five digits that are not round, and no date without separators.
  private static func isWorthInteger(_ digits: Span<UInt8>) -> Bool {
    guard digits.count >= 5 else { return false }
    var end = digits.count
    while end > 0, digits[end - 1] == 0x30 { end -= 1 }
    guard end >= 4 else { return false }
    // All the same, like 99999.
    var isSame = true
    for i in 1..<end where digits[i] != digits[0] { isSame = false }
    if isSame { return false }
    guard digits.count == 8, digits[0] == 0x31 || digits[0] == 0x32 else { return true }
    let month = (digits[4] &- 0x30) &* 10 &+ (digits[5] &- 0x30)
    let day = (digits[6] &- 0x30) &* 10 &+ (digits[7] &- 0x30)
    let isCentury = digits[1] == (digits[0] == 0x31 ? 0x39 : 0x30)
    return !(isCentury && (1...12).contains(month) && (1...31).contains(day))
  }

  /// `2026-11-22`, also with a time of whole minutes; one with seconds is a stamp that somebody made.
  private static func isDate(_ text: Span<UInt8>) -> Bool {
    guard text.count >= 8, text.count <= 40 else { return false }
    var numbers = 0
    var widths: [8 of Int] = .init(repeating: 0)
    var inNumber = false
    var seconds: UInt8 = 0
    for i in text.indices {
      let byte = text[i]
      if byte &- 0x30 < 10 {
        if !inNumber {
          numbers += 1
          if numbers > 8 { return false }
        }
        inNumber = true
        widths[numbers - 1] += 1
        if numbers == 6 { seconds |= byte &- 0x30 }
      } else {
        guard isDateMark(byte) else { return false }
        inNumber = false
      }
    }
    guard numbers >= 3 else { return false }
    let isYearFirst = widths[0] == 4 && widths[1] <= 2 && widths[2] <= 2
    let isYearLast = widths[0] <= 2 && widths[1] <= 2 && widths[2] == 4
    guard isYearFirst || isYearLast else { return false }
    return numbers < 6 || (seconds == 0 && (numbers == 6 || widths[6] <= 2))
  }

  /// `-`, `/`, `.`, `:`, `+`, `T`, `Z`.
  private static func isDateMark(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2d, 0x2f, 0x2e, 0x3a, 0x2b, 0x54, 0x5a: true
    default: false
    }
  }

  /// `250ms`, `v1.2.3`, `12.5kB`: a number with a unit or a version.
  private static func isQuantity(_ text: Span<UInt8>) -> Bool {
    var i = 0
    if text[0] | 0x20 == 0x76 { i = 1 }
    let start = i
    while i < text.count, text[i] &- 0x30 < 10 || text[i] == 0x2e || text[i] == 0x2c { i += 1 }
    guard i > start, i - start <= 8 else { return false }
    for k in i..<text.count where (text[k] | 0x20) &- 0x61 >= 26 { return false }
    return text.count - i <= 3
  }

  /// `agent-1`, `step_3`, `page2`: a word and a digit.
  private static func isNumberedWord(_ text: Span<UInt8>) -> Bool {
    guard text[text.count - 1] &- 0x30 < 10 else { return false }
    for i in 0..<text.count - 1 {
      let byte = text[i]
      guard (byte | 0x20) &- 0x61 < 26 || byte == 0x2d || byte == 0x5f || byte == 0x2e else {
        return false
      }
    }
    return true
  }
}
