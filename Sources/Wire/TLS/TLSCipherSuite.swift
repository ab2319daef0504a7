/// A cipher suite (the IANA registry "TLS Cipher Suites"): how records are protected and secrets expanded.
public struct TLSCipherSuite: Hashable, Sendable {
  /// How records are protected.
  public enum Protection: Hashable, Sendable {
    /// AES in Galois/Counter Mode (RFC 5288, RFC 8446).
    case gcm(keyLength: Int)
    /// AES in Counter with CBC-MAC mode (RFC 6655, RFC 8446).
    case ccm(keyLength: Int, tagLength: Int)
    /// ChaCha20-Poly1305 (RFC 7905, RFC 8446).
    case chaCha20Poly1305
    /// AES in CBC mode with an HMAC (RFC 5246 §6.2.3.2).
    case cbc(keyLength: Int, mac: TLSHash)
  }

  /// The code on the wire.
  public let code: UInt16
  /// The registered name, or the code in hex.
  public let name: String
  /// How records are protected; `nil` where that can't be undone here.
  public let protection: Protection?
  /// The hash of the PRF (TLS 1.2) and of HKDF (TLS 1.3).
  public let hash: TLSHash

  /// Looks a code up.
  public init(_ code: UInt16) {
    self.code = code
    let name = TLSCipherSuite.names[code]
    self.name = name.map { "TLS_" + $0 } ?? "0x" + String(code, radix: 16)
    hash = name?.hasSuffix("_SHA384") == true ? .sha384 : .sha256
    protection = name.flatMap(TLSCipherSuite.protection)
  }

  private static func protection(_ name: String) -> Protection? {
    let keyLength = name.contains("AES_256") ? 32 : 16
    if name.contains("_GCM_"), name.contains("AES_") { return .gcm(keyLength: keyLength) }
    if name.contains("_CCM") {
      return .ccm(keyLength: keyLength, tagLength: name.contains("_CCM_8") ? 8 : 16)
    }
    if name.contains("CHACHA20_POLY1305") { return .chaCha20Poly1305 }
    guard name.contains("AES_"), name.contains("_CBC_") else { return nil }
    let mac: TLSHash =
      name.hasSuffix("_SHA384") ? .sha384 : name.hasSuffix("_SHA256") ? .sha256 : .sha1
    return .cbc(keyLength: keyLength, mac: mac)
  }

  /// The suites that servers of the last twenty years chose, without their `TLS_`.
  private static let names: [UInt16: String] = [
    0x0001: "RSA_WITH_NULL_MD5", 0x0002: "RSA_WITH_NULL_SHA", 0x0004: "RSA_WITH_RC4_128_MD5",
    0x0005: "RSA_WITH_RC4_128_SHA", 0x0009: "RSA_WITH_DES_CBC_SHA",
    0x000a: "RSA_WITH_3DES_EDE_CBC_SHA", 0x0016: "DHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0x002f: "RSA_WITH_AES_128_CBC_SHA", 0x0032: "DHE_DSS_WITH_AES_128_CBC_SHA",
    0x0033: "DHE_RSA_WITH_AES_128_CBC_SHA", 0x0034: "DH_anon_WITH_AES_128_CBC_SHA",
    0x0035: "RSA_WITH_AES_256_CBC_SHA", 0x0038: "DHE_DSS_WITH_AES_256_CBC_SHA",
    0x0039: "DHE_RSA_WITH_AES_256_CBC_SHA", 0x003a: "DH_anon_WITH_AES_256_CBC_SHA",
    0x003b: "RSA_WITH_NULL_SHA256", 0x003c: "RSA_WITH_AES_128_CBC_SHA256",
    0x003d: "RSA_WITH_AES_256_CBC_SHA256", 0x0041: "RSA_WITH_CAMELLIA_128_CBC_SHA",
    0x0045: "DHE_RSA_WITH_CAMELLIA_128_CBC_SHA", 0x0067: "DHE_RSA_WITH_AES_128_CBC_SHA256",
    0x006b: "DHE_RSA_WITH_AES_256_CBC_SHA256", 0x0084: "RSA_WITH_CAMELLIA_256_CBC_SHA",
    0x0088: "DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", 0x008c: "PSK_WITH_AES_128_CBC_SHA",
    0x008d: "PSK_WITH_AES_256_CBC_SHA", 0x0096: "RSA_WITH_SEED_CBC_SHA",
    0x009c: "RSA_WITH_AES_128_GCM_SHA256", 0x009d: "RSA_WITH_AES_256_GCM_SHA384",
    0x009e: "DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009f: "DHE_RSA_WITH_AES_256_GCM_SHA384",
    0x00a2: "DHE_DSS_WITH_AES_128_GCM_SHA256", 0x00a3: "DHE_DSS_WITH_AES_256_GCM_SHA384",
    0x00a6: "DH_anon_WITH_AES_128_GCM_SHA256", 0x00a7: "DH_anon_WITH_AES_256_GCM_SHA384",
    0x00a8: "PSK_WITH_AES_128_GCM_SHA256", 0x00a9: "PSK_WITH_AES_256_GCM_SHA384",
    0x00aa: "DHE_PSK_WITH_AES_128_GCM_SHA256", 0x00ab: "DHE_PSK_WITH_AES_256_GCM_SHA384",
    0x1301: "AES_128_GCM_SHA256", 0x1302: "AES_256_GCM_SHA384",
    0x1303: "CHACHA20_POLY1305_SHA256", 0x1304: "AES_128_CCM_SHA256",
    0x1305: "AES_128_CCM_8_SHA256",
    0xc004: "ECDH_ECDSA_WITH_AES_128_CBC_SHA", 0xc005: "ECDH_ECDSA_WITH_AES_256_CBC_SHA",
    0xc007: "ECDHE_ECDSA_WITH_RC4_128_SHA", 0xc008: "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
    0xc009: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xc00a: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xc00e: "ECDH_RSA_WITH_AES_128_CBC_SHA", 0xc00f: "ECDH_RSA_WITH_AES_256_CBC_SHA",
    0xc011: "ECDHE_RSA_WITH_RC4_128_SHA", 0xc012: "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0xc013: "ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xc014: "ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xc023: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xc024: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xc027: "ECDHE_RSA_WITH_AES_128_CBC_SHA256", 0xc028: "ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    0xc02b: "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xc02c: "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xc02d: "ECDH_ECDSA_WITH_AES_128_GCM_SHA256", 0xc02e: "ECDH_ECDSA_WITH_AES_256_GCM_SHA384",
    0xc02f: "ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xc030: "ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xc031: "ECDH_RSA_WITH_AES_128_GCM_SHA256", 0xc032: "ECDH_RSA_WITH_AES_256_GCM_SHA384",
    0xc035: "ECDHE_PSK_WITH_AES_128_CBC_SHA", 0xc036: "ECDHE_PSK_WITH_AES_256_CBC_SHA",
    0xc072: "ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256",
    0xc073: "ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384",
    0xc076: "ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256",
    0xc077: "ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384",
    0xc09c: "RSA_WITH_AES_128_CCM", 0xc09d: "RSA_WITH_AES_256_CCM",
    0xc09e: "DHE_RSA_WITH_AES_128_CCM", 0xc09f: "DHE_RSA_WITH_AES_256_CCM",
    0xc0a0: "RSA_WITH_AES_128_CCM_8", 0xc0a1: "RSA_WITH_AES_256_CCM_8",
    0xc0ac: "ECDHE_ECDSA_WITH_AES_128_CCM", 0xc0ad: "ECDHE_ECDSA_WITH_AES_256_CCM",
    0xc0ae: "ECDHE_ECDSA_WITH_AES_128_CCM_8", 0xc0af: "ECDHE_ECDSA_WITH_AES_256_CCM_8",
    0xcca8: "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xcca9: "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    0xccaa: "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xccab: "PSK_WITH_CHACHA20_POLY1305_SHA256",
    0xccac: "ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
    0xccad: "DHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
    0xccae: "RSA_PSK_WITH_CHACHA20_POLY1305_SHA256", 0xd001: "ECDHE_PSK_WITH_AES_128_GCM_SHA256",
    0xd002: "ECDHE_PSK_WITH_AES_256_GCM_SHA384",
  ]
}
