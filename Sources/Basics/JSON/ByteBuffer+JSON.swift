public import NIOCore

extension ByteBuffer {
  /// Appends `text` as a JSON string: quotes, with `"`, `\` and control characters escaped.
  public mutating func writeJSONString(_ text: String) {
    let bytes = text.utf8Span.span
    let plain = ByteScan.endOfPlainText(bytes, 0)
    writeWithOutputRawSpan(minimumWritableBytes: bytes.count + 2) { out in
      out.append(0x22)
      for i in 0..<plain { out.append(bytes[i]) }
      if plain == bytes.count { out.append(0x22) }
    }
    if plain < bytes.count { writeEscaped(bytes, from: plain) }
  }

  /// Appends the rest of a string that needs escapes, and its closing quote.
  private mutating func writeEscaped(_ bytes: Span<UInt8>, from start: Int) {
    var i = start
    while i < bytes.count {
      let end = ByteScan.endOfPlainText(bytes, i)
      writeWithOutputRawSpan(minimumWritableBytes: end - i + 7) { out in
        for k in i..<end { out.append(bytes[k]) }
        if end < bytes.count { ByteBuffer.appendEscape(bytes[end], to: &out) }
        if end + 1 >= bytes.count { out.append(0x22) }
      }
      i = end + 1
    }
  }

  private static func appendEscape(_ byte: UInt8, to out: inout OutputRawSpan) {
    out.append(0x5c)
    switch byte {
    case 0x0a: out.append(0x6e)
    case 0x0d: out.append(0x72)
    case 0x09: out.append(0x74)
    case 0x00..<0x20:
      out.append(0x75)
      out.append(0x30)
      out.append(0x30)
      out.append(0x30 + (byte >> 4))
      out.append(byte & 15 < 10 ? 0x30 + (byte & 15) : 0x57 + (byte & 15))
    default: out.append(byte)
    }
  }

  /// Appends a number in decimal digits.
  public mutating func writeDecimal(_ value: Int64) {
    writeWithOutputRawSpan(minimumWritableBytes: 20) { out in
      if value < 0 { out.append(0x2d) }
      let magnitude = value.magnitude
      var divisor: UInt64 = 1
      while magnitude / divisor >= 10 { divisor *= 10 }
      var rest = magnitude
      while divisor > 0 {
        out.append(0x30 + UInt8(truncatingIfNeeded: rest / divisor))
        rest %= divisor
        divisor /= 10
      }
    }
  }
}
