/// Numbers and names as people read them.
public enum Format {
  /// A length of time in at most two units: `830 µs`, `340 ms`, `1.2 s`, `5 m 12 s`, `13 h 54 m`, `3 d 4 h`.
  public static func duration(nanoseconds: Int64) -> String {
    let sign = nanoseconds < 0 ? "-" : ""
    let n = nanoseconds.magnitude
    if n == 0 { return "0 s" }
    if n < 1000 { return sign + "\(n) ns" }
    if n < 9950 { return sign + tenths(n, of: 1000) + " µs" }
    if n < 999_500 { return sign + "\((n + 500) / 1000) µs" }
    if n < 9_950_000 { return sign + tenths(n, of: 1_000_000) + " ms" }
    if n < 999_500_000 { return sign + "\((n + 500_000) / 1_000_000) ms" }
    if n < 59_950_000_000 { return sign + tenths(n, of: 1_000_000_000) + " s" }
    let seconds = n / 1_000_000_000 + (n % 1_000_000_000 >= 500_000_000 ? 1 : 0)
    if seconds < 3600 { return sign + pair(seconds, 60, "m", "s") }
    let minutes = (seconds + 30) / 60
    if minutes < 24 * 60 { return sign + pair(minutes, 60, "h", "m") }
    return sign + pair((minutes + 30) / 60, 24, "d", "h")
  }

  /// A length of time given in milliseconds.
  public static func duration(milliseconds: Double) -> String {
    let nanoseconds = milliseconds * 1_000_000
    let limit = 9.2e18
    return duration(nanoseconds: Int64(max(-limit, min(limit, nanoseconds))))
  }

  /// A point of a timeline: `+7.031`, `+12:05.123`, `+1:02:03.456` (seconds, minutes, hours).
  public static func offset(nanoseconds: Int64) -> String {
    let sign = nanoseconds < 0 ? "-" : "+"
    let milliseconds = (nanoseconds.magnitude + 500_000) / 1_000_000
    let fraction = "." + padded(milliseconds % 1000, 3)
    let seconds = milliseconds / 1000
    if seconds < 60 { return sign + "\(seconds)" + fraction }
    let tail = padded(seconds % 60, 2) + fraction
    if seconds < 3600 { return sign + "\(seconds / 60):" + tail }
    return sign + "\(seconds / 3600):" + padded(seconds / 60 % 60, 2) + ":" + tail
  }

  /// A number with at most `digits` (up to 9) decimals, without trailing zeros.
  public static func decimal(_ value: Double, digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e9 else { return "\(value)" }
    var scale: UInt64 = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = UInt64(value.magnitude * Double(scale) + 0.5)
    var text = (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / scale)"
    var fraction = padded(scaled % scale, digits)
    while fraction.hasSuffix("0") { fraction.removeLast() }
    if digits > 0, !fraction.isEmpty { text += "." + fraction }
    return text
  }

  /// A share of one in percent: `96.4 %`.
  public static func percent(_ share: Double) -> String { decimal(share * 100, digits: 1) + " %" }

  /// `1 call`, `2 calls`.
  public static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)" + (number == 1 ? "" : "s")
  }

  /// The ends of an identifier that is longer than nine characters: `8f2c…gate`.
  public static func shortened(_ identifier: String) -> String {
    identifier.count <= 9 ? identifier : "\(identifier.prefix(4))…\(identifier.suffix(4))"
  }

  /// Text from the wire without what would disturb a terminal: control characters become `·`.
  public static func printable(_ text: String) -> String {
    let harmless = text.unicodeScalars.allSatisfy(isHarmless)
    if harmless { return text }
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { out.append(isHarmless(scalar) ? scalar : "·") }
    return String(out)
  }

  /// `text`, cut to `width` characters with an ellipsis when it is longer.
  public static func fitted(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
    default: true
    }
  }

  private static func tenths(_ value: UInt64, of unit: UInt64) -> String {
    let tenths = (value + unit / 20) / (unit / 10)
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func pair(_ value: UInt64, _ base: UInt64, _ large: String, _ small: String)
    -> String
  {
    value % base == 0
      ? "\(value / base) \(large)" : "\(value / base) \(large) \(value % base) \(small)"
  }

  private static func padded(_ value: UInt64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
