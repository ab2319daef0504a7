import NIOCore

/// Decides who dialled when the handshake was not captured.
enum ClientGuess {
  /// Ports from here on are given to clients by the kernel (Linux: 32768 to 60999; IANA: from 49152).
  private static let ephemeral = 32_768

  private static let methods = [
    "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PRI ",
  ]

  /// Returns whether the sender of these bytes is the client; `nil` when they do not tell.
  static func senderIsClient(_ bytes: ByteBuffer) -> Bool? {
    let span = bytes.readableBytesUInt8Span
    if starts(span, "HTTP/1.") { return false }
    for method in methods where starts(span, method) { return true }
    // A TLS handshake record with a hello: 1 is the client's, 2 the server's (RFC 8446 §4).
    if span.count > 5, span[0] == 0x16, span[1] == 3, span[5] == 1 || span[5] == 2 {
      return span[5] == 1
    }
    return nil
  }

  /// Returns the client if exactly one port is one that kernels hand out.
  static func byEphemeralPort(_ key: FlowKey) -> Side? {
    let low = Int(key.lowPort) >= ephemeral
    let high = Int(key.highPort) >= ephemeral
    return low == high ? nil : low ? .low : .high
  }

  /// Returns the end with the higher port.
  static func byPort(_ key: FlowKey) -> Side { key.lowPort > key.highPort ? .low : .high }

  private static func starts(_ bytes: Span<UInt8>, _ text: String) -> Bool {
    let prefix = text.utf8
    guard bytes.count >= prefix.count else { return false }
    var i = 0
    for byte in prefix {
      guard bytes[i] == byte else { return false }
      i += 1
    }
    return true
  }
}
