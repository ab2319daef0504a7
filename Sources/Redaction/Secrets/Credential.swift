import Basics
import NIOCore

/// Credentials as they are sent: a scheme and what stands behind it (RFC 9110 §11.4).
enum Credential {
  private static let schemes = ["bearer", "basic", "token", "dpop", "apikey", "bot"]

  /// Where the credential behind an authentication scheme and its blanks begins; `start` where there is no scheme.
  static func behindScheme(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var i = start
    while i < end, i - start < 8, (text[i] | 0x20) &- 0x61 < 26 { i += 1 }
    guard i - start >= 3, i < end, text[i] == 0x20 else { return start }
    let word = ByteScan.string(text, start..<i).lowercased()
    guard schemes.contains(word) else { return start }
    while i < end, text[i] == 0x20 { i += 1 }
    return i < end ? i : start
  }

  /// Whether a token is `user:password` in base64 (RFC 7617).
  static func isBasic(_ token: Span<UInt8>) -> Bool {
    guard token.count >= 8, token.count <= 4096,
      var decoded = Base64.decode(ByteScan.string(token, 0..<token.count))
    else { return false }
    let bytes = decoded.readBytes(length: decoded.readableBytes) ?? []
    return bytes.contains(0x3a) && bytes.allSatisfy { $0 >= 0x20 }
  }
}
