import Crypto
import NIOCore

/// Removes the protection of one direction's records, with the keys of one epoch.
struct TLSRecordCipher {
  /// A record without its protection.
  struct Opened {
    /// The content type, in TLS 1.3 the inner one.
    let type: UInt8
    let bytes: ByteBuffer
  }

  /// How nonces and additional data are made.
  private enum Form {
    /// Per-record nonce from IV and sequence, header as additional data, content type inside (RFC 8446 §5.2).
    case tls13
    /// Eight bytes of nonce before the ciphertext (RFC 5288 §3).
    case explicitNonce
    /// As in TLS 1.3, with the additional data of TLS 1.2 (RFC 7905 §2).
    case implicitNonce
  }

  private enum Algorithm {
    case gcm
    case chaCha20Poly1305
    case ccm(tagLength: Int)

    var tagLength: Int { if case .ccm(let length) = self { length } else { 16 } }
  }

  private enum Cipher {
    case aead(Form, Algorithm)
    case cbc(TLSCBCCipher)
  }

  private var cipher: Cipher
  private let key: SymmetricKey
  private let iv: [UInt8]

  /// The cipher of a TLS 1.3 traffic secret; `nil` when the suite's can't be undone here.
  init?(_ suite: TLSCipherSuite, trafficSecret secret: [UInt8]) {
    guard let protection = suite.protection, secret.count == suite.hash.length else { return nil }
    let keyLength: Int
    switch protection {
    case .gcm(let length): (keyLength, cipher) = (length, .aead(.tls13, .gcm))
    case .ccm(let length, let tag):
      (keyLength, cipher) = (length, .aead(.tls13, .ccm(tagLength: tag)))
    case .chaCha20Poly1305: (keyLength, cipher) = (32, .aead(.tls13, .chaCha20Poly1305))
    case .cbc: return nil
    }
    key = SymmetricKey(
      data: TLSKeySchedule.expand(suite.hash, secret, label: "key", count: keyLength))
    iv = TLSKeySchedule.expand(suite.hash, secret, label: "iv", count: 12)
  }

  /// The cipher of one side of a TLS 1.2 connection (RFC 5246 §6.3); `nil` when the suite's can't be undone here.
  init?(_ hello: TLSServerHello, master: [UInt8], clientRandom: TLSRandom, isClient: Bool) {
    guard let protection = hello.suite.protection else { return nil }
    let hasChainedIV = hello.version < .tls11
    let (macLength, keyLength, ivLength) =
      switch protection {
      case .gcm(let length), .ccm(let length, _): (0, length, 4)
      case .chaCha20Poly1305: (0, 32, 12)
      case .cbc(let length, let mac): (mac.length, length, hasChainedIV ? 16 : 0)
      }
    let block = TLSKeySchedule.prf(
      hello.version, hello.suite.hash, secret: master, label: "key expansion",
      seed: hello.random.bytes + clientRandom.bytes,
      count: 2 * (macLength + keyLength + ivLength))
    var rest = block[...]
    func part(_ length: Int) -> [UInt8] {
      let both = rest.prefix(2 * length)
      rest = rest.dropFirst(2 * length)
      return Array(isClient ? both.prefix(length) : both.suffix(length))
    }
    let mac = part(macLength)
    key = SymmetricKey(data: part(keyLength))
    iv = part(ivLength)
    switch protection {
    case .gcm: cipher = .aead(.explicitNonce, .gcm)
    case .ccm(_, let tag): cipher = .aead(.explicitNonce, .ccm(tagLength: tag))
    case .chaCha20Poly1305: cipher = .aead(.implicitNonce, .chaCha20Poly1305)
    case .cbc(_, let hash):
      cipher = .cbc(
        TLSCBCCipher(
          key: key, mac: mac, hash: hash, chainedIV: hasChainedIV ? iv : nil,
          encryptsThenMACs: hello.encryptsThenMACs))
    }
  }

  /// Bytes that a record of one content byte has at least, with its header: what bounds the records that a gap can hold.
  var minimumRecord: Int { TLSRecord.headerLength + overhead }

  /// Bytes that a record has on top of its contents, without header and padding.
  private var overhead: Int {
    switch cipher {
    case .aead(.tls13, let algorithm): 1 + algorithm.tagLength
    case .aead(.explicitNonce, let algorithm): 8 + algorithm.tagLength
    case .aead(.implicitNonce, let algorithm): algorithm.tagLength
    case .cbc(let cbc): cbc.overhead
    }
  }

  /// Content bytes of `records` records that have `bytes` on the wire: exact but for padding.
  func contents(of bytes: Int, records: Int) -> Int {
    max(0, bytes - records * (TLSRecord.headerLength + overhead))
  }

  /// The nonce that a record carries, where it does: usually its sequence number, or as far from it as its predecessor's.
  func explicitNonce(_ record: TLSRecord) -> UInt64? {
    guard case .aead(.explicitNonce, _) = cipher else { return nil }
    return record.body.getInteger(at: record.body.readerIndex)
  }

  /// Returns the record's contents; `nil` when keys or sequence number are not its own.
  mutating func open(_ record: TLSRecord, sequence: UInt64) -> Opened? {
    switch cipher {
    case .aead(let form, let algorithm): return openAEAD(record, sequence, form, algorithm)
    case .cbc(var cbc):
      let opened = cbc.open(record, sequence: sequence)
      cipher = .cbc(cbc)
      return opened
    }
  }

  private func openAEAD(
    _ record: TLSRecord, _ sequence: UInt64, _ form: Form, _ algorithm: Algorithm
  ) -> Opened? {
    var body = record.body
    var nonce = iv
    switch form {
    case .explicitNonce:
      guard let explicit = body.readBytes(length: 8) else { return nil }
      nonce += explicit
    case .implicitNonce, .tls13:
      for i in 0..<8 { nonce[4 + i] ^= UInt8(truncatingIfNeeded: sequence >> (56 - 8 * i)) }
    }
    let count = body.readableBytes - algorithm.tagLength
    guard count >= 0, let sealed = body.readBytes(length: count),
      let tag = body.readBytes(length: algorithm.tagLength)
    else { return nil }
    let additional =
      form == .tls13
      ? TLSRecordCipher.header(record, length: record.body.readableBytes)
      : TLSRecordCipher.pseudoHeader(record, sequence, length: count)
    guard let plain = decrypt(sealed, tag, nonce, additional, algorithm) else { return nil }
    return form == .tls13
      ? TLSRecordCipher.inner(plain) : Opened(type: record.type, bytes: plain)
  }

  private func decrypt(
    _ sealed: [UInt8], _ tag: [UInt8], _ nonce: [UInt8], _ additional: [UInt8],
    _ algorithm: Algorithm
  ) -> ByteBuffer? {
    do {
      switch algorithm {
      case .gcm:
        let box = try AES.GCM.SealedBox(
          nonce: AES.GCM.Nonce(data: nonce), ciphertext: sealed, tag: tag)
        return ByteBuffer(bytes: try AES.GCM.open(box, using: key, authenticating: additional))
      case .chaCha20Poly1305:
        let box = try ChaChaPoly.SealedBox(
          nonce: ChaChaPoly.Nonce(data: nonce), ciphertext: sealed, tag: tag)
        return ByteBuffer(bytes: try ChaChaPoly.open(box, using: key, authenticating: additional))
      case .ccm:
        return TLSCCM.open(sealed, tag: tag, key: key, nonce: nonce, additional: additional)
          .map { ByteBuffer(bytes: $0) }
      }
    } catch {
      // The tag does not fit: other keys, or another place in the stream.
      return nil
    }
  }

  /// The contents and their type behind which zeros may stand (RFC 8446 §5.4).
  private static func inner(_ plain: ByteBuffer) -> Opened? {
    let view = plain.readableBytesView
    guard let last = view.lastIndex(where: { $0 != 0 }) else { return nil }
    let contents = plain.getSlice(at: view.startIndex, length: last - view.startIndex)
    return Opened(type: view[last], bytes: contents ?? ByteBuffer())
  }

  private static func header(_ record: TLSRecord, length: Int) -> [UInt8] {
    [
      record.type, UInt8(truncatingIfNeeded: record.version >> 8),
      UInt8(truncatingIfNeeded: record.version), UInt8(truncatingIfNeeded: length >> 8),
      UInt8(truncatingIfNeeded: length),
    ]
  }

  /// What MACs and additional data of TLS 1.2 begin with (RFC 5246 §6.2.3).
  static func pseudoHeader(_ record: TLSRecord, _ sequence: UInt64, length: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: sequence >> (56 - 8 * $0)) }
      + header(record, length: length)
  }
}
