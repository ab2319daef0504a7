import Crypto
import CryptoExtras
import NIOCore

/// AES in CBC mode with an HMAC, before or behind the encryption (RFC 5246 §6.2.3.2, RFC 7366).
struct TLSCBCCipher {
  private static let block = 16

  private let key: SymmetricKey
  private let mac: [UInt8]
  private let hash: TLSHash
  private let encryptsThenMACs: Bool
  /// The last block of the record before, where that is the IV (TLS 1.0); `nil` where records carry theirs.
  private var chainedIV: [UInt8]?

  init(
    key: SymmetricKey, mac: [UInt8], hash: TLSHash, chainedIV: [UInt8]?, encryptsThenMACs: Bool
  ) {
    self.key = key
    self.mac = mac
    self.hash = hash
    self.chainedIV = chainedIV
    self.encryptsThenMACs = encryptsThenMACs
  }

  /// Bytes on top of the contents: IV, MAC and one byte of padding.
  var overhead: Int { (chainedIV == nil ? TLSCBCCipher.block : 0) + hash.length + 1 }

  mutating func open(_ record: TLSRecord, sequence: UInt64) -> TLSRecordCipher.Opened? {
    var body = record.body
    let tag = encryptsThenMACs ? splitTag(&body) : nil
    if encryptsThenMACs {
      let head = TLSRecordCipher.pseudoHeader(record, sequence, length: body.readableBytes)
      guard let tag, hash.hmac(mac, head + body.readableBytesView) == tag else { return nil }
    }
    let iv = chainedIV ?? body.readBytes(length: TLSCBCCipher.block)
    guard let iv, let sealed = body.readBytes(length: body.readableBytes),
      var plain = decrypt(sealed, iv)
    else { return nil }
    guard let padding = plain.last.map(Int.init), plain.count > padding,
      plain.suffix(padding + 1).allSatisfy({ Int($0) == padding })
    else { return nil }
    plain.removeLast(padding + 1)
    if !encryptsThenMACs {
      let count = plain.count - hash.length
      guard count >= 0 else { return nil }
      let head = TLSRecordCipher.pseudoHeader(record, sequence, length: count)
      guard hash.hmac(mac, head + plain.prefix(count)) == Array(plain.suffix(hash.length))
      else { return nil }
      plain.removeLast(hash.length)
    }
    if chainedIV != nil { chainedIV = Array(sealed.suffix(TLSCBCCipher.block)) }
    return TLSRecordCipher.Opened(type: record.type, bytes: ByteBuffer(bytes: plain))
  }

  /// Takes the MAC off the end.
  private func splitTag(_ body: inout ByteBuffer) -> [UInt8]? {
    let count = body.readableBytes - hash.length
    guard count >= 0 else { return nil }
    let tag = body.getBytes(at: body.readerIndex + count, length: hash.length)
    body.moveWriterIndex(to: body.readerIndex + count)
    return tag
  }

  private func decrypt(_ sealed: [UInt8], _ iv: [UInt8]) -> [UInt8]? {
    guard !sealed.isEmpty, sealed.count.isMultiple(of: TLSCBCCipher.block) else { return nil }
    do {
      return Array(
        try AES._CBC.decrypt(sealed, using: key, iv: AES._CBC.IV(ivBytes: iv), noPadding: true))
    } catch {
      // Lengths that no cipher has: not a record of these keys.
      return nil
    }
  }
}
