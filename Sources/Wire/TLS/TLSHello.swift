import NIOCore

/// What is needed of a ClientHello (RFC 8446 §4.1.2).
struct TLSClientHello {
  let random: TLSRandom
  private(set) var serverName: String?
  /// Protocols it would speak, best first.
  private(set) var protocols: [String] = []
  private(set) var offersEarlyData = false

  /// Reads the body of a ClientHello message; `nil` when it is not one.
  init?(_ body: ByteBuffer) {
    var body = body
    guard body.readInteger(as: UInt16.self) != nil,  // version
      let random = TLSRandom(readingFrom: &body),
      body.readLengthPrefixedSlice(as: UInt8.self) != nil,  // session id
      body.readLengthPrefixedSlice(as: UInt16.self) != nil,  // cipher suites
      body.readLengthPrefixedSlice(as: UInt8.self) != nil  // compression methods
    else { return nil }
    self.random = random
    // Without extensions nothing follows (SSL 3.0).
    guard var extensions = body.readLengthPrefixedSlice(as: UInt16.self) else { return }
    while let (type, value) = TLSExtension.next(&extensions) {
      switch type {
      case TLSExtension.serverName: serverName = TLSExtension.hostName(value)
      case TLSExtension.alpn: protocols = TLSExtension.protocols(value)
      case TLSExtension.earlyData: offersEarlyData = true
      default: continue
      }
    }
  }
}

extension TLSClientHello {
  /// Reads what follows the version of an SSL 2.0 ClientHello (RFC 5246 appendix E.2).
  init?(ssl2 body: ByteBuffer) {
    var body = body
    guard
      let (suites, session, challenge) = body.readMultipleIntegers(
        as: (UInt16, UInt16, UInt16).self),
      body.readSlice(length: Int(suites) + Int(session)) != nil, challenge <= 32,
      let bytes = body.readBytes(length: Int(challenge))
    else { return nil }
    // The challenge stands at the end of the random, behind zeros.
    var padded = ByteBuffer(bytes: [UInt8](repeating: 0, count: 32 - bytes.count) + bytes)
    guard let random = TLSRandom(readingFrom: &padded) else { return nil }
    self.random = random
  }
}

/// What is needed of a ServerHello (RFC 8446 §4.1.3).
struct TLSServerHello {
  let random: TLSRandom
  /// What was agreed on: of `supported_versions`, else the old place.
  private(set) var version: TLSVersion
  let suite: TLSCipherSuite
  let compresses: Bool
  private(set) var protocolName: String?
  private(set) var encryptsThenMACs = false

  /// True when it asks for another ClientHello.
  var isRetryRequest: Bool { random == .helloRetryRequest }

  /// Reads the body of a ServerHello message; `nil` when it is not one.
  init?(_ body: ByteBuffer) {
    var body = body
    guard let version = body.readInteger(as: UInt16.self),
      let random = TLSRandom(readingFrom: &body),
      body.readLengthPrefixedSlice(as: UInt8.self) != nil,  // session id
      let suite = body.readInteger(as: UInt16.self),
      let compression = body.readInteger(as: UInt8.self)
    else { return nil }
    self.version = TLSVersion(rawValue: version)
    self.random = random
    self.suite = TLSCipherSuite(suite)
    compresses = compression != 0
    guard var extensions = body.readLengthPrefixedSlice(as: UInt16.self) else { return }
    while let (type, rest) = TLSExtension.next(&extensions) {
      var value = rest
      switch type {
      case TLSExtension.supportedVersions:
        if let chosen = value.readInteger(as: UInt16.self) {
          self.version = TLSVersion(rawValue: chosen)
        }
      case TLSExtension.alpn: protocolName = TLSExtension.protocols(value).first
      case TLSExtension.encryptThenMAC: encryptsThenMACs = true
      default: continue
      }
    }
  }
}

/// What is needed of EncryptedExtensions (RFC 8446 §4.3.1).
struct TLSEncryptedExtensions {
  private(set) var protocolName: String?
  private(set) var acceptsEarlyData = false

  init(_ body: ByteBuffer) {
    var body = body
    guard var extensions = body.readLengthPrefixedSlice(as: UInt16.self) else { return }
    while let (type, value) = TLSExtension.next(&extensions) {
      if type == TLSExtension.alpn { protocolName = TLSExtension.protocols(value).first }
      if type == TLSExtension.earlyData { acceptsEarlyData = true }
    }
  }
}
