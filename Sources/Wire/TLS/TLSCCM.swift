import Crypto
import CryptoExtras

/// AES in Counter with CBC-MAC mode as TLS uses it: nonces of 12 bytes (RFC 3610, RFC 6655).
enum TLSCCM {
  private static let block = 16
  /// Bytes of the length and counter fields, less one: L' of RFC 3610 §2.2.
  private static let lengthCode: UInt8 = 2

  /// Returns the plaintext; `nil` when the tag does not fit.
  static func open(
    _ sealed: [UInt8], tag: [UInt8], key: SymmetricKey, nonce: [UInt8], additional: [UInt8]
  ) -> [UInt8]? {
    do {
      // The first block of the key stream hides the MAC, the others the message (§2.3).
      let hidden = tag + [UInt8](repeating: 0, count: block - tag.count) + sealed
      let counter = try AES._CTR.Nonce(nonceBytes: [lengthCode] + nonce + [0, 0, 0])
      let open = Array(try AES._CTR.encrypt(hidden, using: key, nonce: counter))
      let message = Array(open.dropFirst(block))

      // The MAC is the last block of a CBC encryption (§2.2).
      var input = [64 + UInt8((tag.count - 2) / 2) * 8 + lengthCode] + nonce
      input += [16, 8, 0].map { UInt8(truncatingIfNeeded: message.count >> $0) }
      input += [0, UInt8(truncatingIfNeeded: additional.count)] + additional
      pad(&input)
      input += message
      pad(&input)
      let zeros = try AES._CBC.IV(ivBytes: [UInt8](repeating: 0, count: block))
      let mac = try AES._CBC.encrypt(input, using: key, iv: zeros, noPadding: true).suffix(block)
      return mac.prefix(tag.count).elementsEqual(open.prefix(tag.count)) ? message : nil
    } catch {
      // Lengths that no cipher has: not a record of these keys.
      return nil
    }
  }

  private static func pad(_ bytes: inout [UInt8]) {
    let over = bytes.count % block
    if over > 0 { bytes += [UInt8](repeating: 0, count: block - over) }
  }
}
