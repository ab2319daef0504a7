public import Basics

/// Makes random JSON values and random spellings of them.
public enum RandomJSON {
  /// Returns a value of limited depth; strings hold escapes, all planes and control characters.
  public static func value(
    depth: Int = 4, using generator: inout some RandomNumberGenerator
  ) -> JSONValue {
    switch Int.random(in: 0...(depth > 0 ? 7 : 4), using: &generator) {
    case 0: .null
    case 1: .bool(Bool.random(using: &generator))
    case 2: .number(number(using: &generator))
    case 3, 4: .string(text(using: &generator))
    case 5:
      .array((0..<count(using: &generator)).map { _ in value(depth: depth - 1, using: &generator) })
    default:
      .object(
        (0..<count(using: &generator)).map { _ in
          .init(text(using: &generator), value(depth: depth - 1, using: &generator))
        })
    }
  }

  /// Returns `value` as JSON text with random white space and random escapes.
  public static func spelling(
    of value: JSONValue, using generator: inout some RandomNumberGenerator
  ) -> String {
    let inner =
      switch value {
      case .null: "null"
      case .bool(let value): value ? "true" : "false"
      case .number(let token): token
      case .string(let text): quoted(text, using: &generator)
      case .array(let elements):
        "["
          + elements.map { spelling(of: $0, using: &generator) }.joined(separator: ",")
          + (elements.isEmpty ? space(using: &generator) : "") + "]"
      case .object(let members):
        "{"
          + members.map {
            space(using: &generator) + quoted($0.key, using: &generator) + space(using: &generator)
              + ":" + spelling(of: $0.value, using: &generator)
          }.joined(separator: ",") + (members.isEmpty ? space(using: &generator) : "") + "}"
      }
    return space(using: &generator) + inner + space(using: &generator)
  }

  private static func count(using generator: inout some RandomNumberGenerator) -> Int {
    Int.random(in: 0...4, using: &generator)
  }

  private static func number(using generator: inout some RandomNumberGenerator) -> String {
    let tokens = ["0", "-0", "1.0", "1e5", "-2.50E-3", "12345678901234567890123", "0.1e+10"]
    return Bool.random(using: &generator)
      ? String(Int64.random(in: .min ... .max, using: &generator))
      : tokens[Int.random(in: 0..<tokens.count, using: &generator)]
  }

  private static func text(using generator: inout some RandomNumberGenerator) -> String {
    let pieces: [Character] = [
      "a", "\"", "\\", "/", "\u{0}", "\u{1f}", "\n", "\t", " ", "{", "]", ":", "é", "e\u{301}", "€",
      "😀", "\u{fffd}", "\u{2028}", "\u{7f}",
    ]
    let count = Int.random(in: 0...20, using: &generator)
    return String(
      (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] })
  }

  private static func space(using generator: inout some RandomNumberGenerator) -> String {
    let all = ["", "", "", " ", "\n", "\r\n", "\t ", "        "]
    return all[Int.random(in: 0..<all.count, using: &generator)]
  }

  private static func quoted(
    _ text: String, using generator: inout some RandomNumberGenerator
  ) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
      if mustEscape || Int.random(in: 0..<4, using: &generator) == 0 {
        for unit in String(scalar).utf16 { out += escape(unit, using: &generator) }
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  private static func escape(
    _ unit: UInt16, using generator: inout some RandomNumberGenerator
  ) -> String {
    let short: [UInt16: String] = [
      0x22: "\\\"", 0x5c: "\\\\", 0x2f: "\\/", 0x08: "\\b", 0x0c: "\\f", 0x0a: "\\n", 0x0d: "\\r",
      0x09: "\\t",
    ]
    if let short = short[unit], Bool.random(using: &generator) { return short }
    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &generator))
    return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
  }
}
