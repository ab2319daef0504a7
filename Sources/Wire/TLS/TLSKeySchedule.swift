import Crypto

/// From secrets to keys: the PRF of TLS 1.2 and before, HKDF-Expand-Label of TLS 1.3.
public enum TLSKeySchedule {
  /// HKDF-Expand-Label with an empty context (RFC 8446 §7.1).
  public static func expand(_ hash: TLSHash, _ secret: [UInt8], label: String, count: Int)
    -> [UInt8]
  {
    let name = Array("tls13 \(label)".utf8)
    let info =
      [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
      + [UInt8(name.count)] + name + [0]
    // HKDF-Expand (RFC 5869 §2.3): T(i) = HMAC(secret, T(i-1) | info | i).
    var output: [UInt8] = []
    var block: [UInt8] = []
    var i: UInt8 = 1
    while output.count < count {
      block = hash.hmac(secret, block + info + [i])
      output += block
      i &+= 1
    }
    return Array(output.prefix(count))
  }

  /// The secret that a KeyUpdate moves on to (RFC 8446 §7.2).
  public static func updated(_ hash: TLSHash, _ secret: [UInt8]) -> [UInt8] {
    expand(hash, secret, label: "traffic upd", count: hash.length)
  }

  /// The PRF of TLS 1.2 (RFC 5246 §5); of TLS 1.0 and 1.1 (RFC 2246 §5) when `version` is older.
  public static func prf(
    _ version: TLSVersion, _ hash: TLSHash, secret: [UInt8], label: String, seed: [UInt8],
    count: Int
  ) -> [UInt8] {
    let seed = Array(label.utf8) + seed
    guard version < .tls12 else { return stretch(count, seed) { hash.hmac(secret, $0) } }
    // The halves of an odd secret share the middle byte.
    let half = (secret.count + 1) / 2
    let first = SymmetricKey(data: Array(secret.prefix(half)))
    let second = Array(secret.suffix(half))
    let md5 = stretch(count, seed) {
      Array(HMAC<Insecure.MD5>.authenticationCode(for: $0, using: first))
    }
    let sha1 = stretch(count, seed) { TLSHash.sha1.hmac(second, $0) }
    return zip(md5, sha1).map { $0 ^ $1 }
  }

  /// P_hash (RFC 5246 §5).
  private static func stretch(_ count: Int, _ seed: [UInt8], _ hmac: ([UInt8]) -> [UInt8])
    -> [UInt8]
  {
    var output: [UInt8] = []
    var a = seed
    while output.count < count {
      a = hmac(a)
      output += hmac(a + seed)
    }
    return Array(output.prefix(count))
  }
}
