import Basics
import NIOCore

/// Values of MCP's header fields: text that no header can hold travels as `=?base64?…?=` (SEP-2243).
enum HeaderText {
  /// Returns `text` as it stands in a header.
  static func encoded(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
    let isPadded = text.utf8.first == 0x20 || text.utf8.last == 0x20
    let isAmbiguous = text.hasPrefix(prefix) && text.hasSuffix(suffix)
    guard !isPlain || isPadded || isAmbiguous else { return text }
    return prefix + Base64.encode(ByteBuffer(string: text)) + suffix
  }

  /// Returns what a header says.
  static func decoded(_ value: String) -> String {
    guard value.hasPrefix(prefix), value.hasSuffix(suffix),
      value.utf8.count >= prefix.utf8.count + suffix.utf8.count,
      let bytes = Base64.decode(String(value.dropFirst(prefix.count).dropLast(suffix.count)))
    else { return value }
    return String(buffer: bytes)
  }

  private static let prefix = "=?base64?"
  private static let suffix = "?="
}
