/// Why bytes of a TLS connection are not part of what it carries.
public enum TLSLoss: Hashable, Sendable {
  /// The hellos were not seen, without which keys can't be matched.
  case noHandshake
  /// No key log has its secrets.
  case undecryptable
  /// The suite's records can't be opened here; its name.
  case unsupportedCipher(String)
  /// SSL 3.0 or something unheard of.
  case unsupportedVersion(String)
  /// Records are compressed (RFC 3749).
  case compressed
  /// Records do not open with the logged secrets.
  case decryptFailed
  /// Parts of records whose rest is missing.
  case brokenRecord
  /// 0-RTT data without its secret, or that the server refused.
  case earlyData
  /// What is no record.
  case malformed
  /// Data behind its sender's close_notify.
  case afterClose
  /// Records that waited for secrets until there was no more room.
  case heldLimit

  /// The name of the counter.
  public var name: String {
    switch self {
    case .noHandshake: "tls.no_handshake"
    case .undecryptable: "tls.undecryptable"
    case .unsupportedCipher(let suite): "tls.unsupported_cipher[\(suite)]"
    case .unsupportedVersion(let version): "tls.unsupported_version[\(version)]"
    case .compressed: "tls.compressed"
    case .decryptFailed: "tls.decrypt_failed"
    case .brokenRecord: "tls.broken_record"
    case .earlyData: "tls.early_data"
    case .malformed: "tls.malformed"
    case .afterClose: "tls.after_close"
    case .heldLimit: "limit.tls_held"
    }
  }
}
