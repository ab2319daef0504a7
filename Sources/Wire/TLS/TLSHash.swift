import Crypto

/// The hashes that TLS builds its MACs and key expansion on.
public enum TLSHash: Hashable, Sendable {
  /// SHA-1, in MACs of CBC suites alone.
  case sha1
  /// SHA-256
  case sha256
  /// SHA-384
  case sha384

  /// Bytes of output.
  public var length: Int {
    switch self {
    case .sha1: 20
    case .sha256: 32
    case .sha384: 48
    }
  }

  /// Returns HMAC (RFC 2104) of `data`.
  func hmac(_ key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    let key = SymmetricKey(data: key)
    switch self {
    case .sha1: return Array(HMAC<Insecure.SHA1>.authenticationCode(for: data, using: key))
    case .sha256: return Array(HMAC<SHA256>.authenticationCode(for: data, using: key))
    case .sha384: return Array(HMAC<SHA384>.authenticationCode(for: data, using: key))
    }
  }
}
