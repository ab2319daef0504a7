public import NIOCore

/// RFC 4648 §4 base64, with padding.
public enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Returns the text for `buffer`'s readable bytes.
  public static func encode(_ buffer: ByteBuffer) -> String {
    let view = buffer.readableBytesView
    var out: [UInt8] = []
    out.reserveCapacity((view.count + 2) / 3 * 4)
    var i = view.startIndex
    while i < view.endIndex {
      let left = view.endIndex - i
      let a = UInt32(view[i])
      let b = left > 1 ? UInt32(view[i + 1]) : 0
      let c = left > 2 ? UInt32(view[i + 2]) : 0
      let group = a << 16 | b << 8 | c
      out.append(alphabet[Int(group >> 18 & 63)])
      out.append(alphabet[Int(group >> 12 & 63)])
      out.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : 0x3d)
      out.append(left > 2 ? alphabet[Int(group & 63)] : 0x3d)
      i += 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Returns the bytes of `text`, or `nil` when it is not base64 of whole groups of four.
  public static func decode(_ text: String) -> ByteBuffer? {
    let length = text.utf8.count
    guard length % 4 == 0 else { return nil }
    var out = ByteBuffer()
    out.reserveCapacity(length / 4 * 3)
    var group: UInt32 = 0
    var bits = 0
    var padding = 0
    for byte in text.utf8 {
      if byte == 0x3d {
        padding += 1
        continue
      }
      guard padding == 0, let value = sextet(byte) else { return nil }
      group = group << 6 | value
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.writeInteger(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
      }
    }
    return padding <= 2 ? out : nil
  }

  private static func sextet(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x41...0x5a: UInt32(byte - 0x41)
    case 0x61...0x7a: UInt32(byte - 0x61 + 26)
    case 0x30...0x39: UInt32(byte - 0x30 + 52)
    case 0x2b: 62
    case 0x2f: 63
    default: nil
    }
  }
}
