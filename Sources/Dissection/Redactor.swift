public import Basics
import Crypto

/// A key that makes surrogates; equal keys give equal surrogates, so that recorders of one service can be merged.
public struct RedactionKey: Sendable {
  let key: SymmetricKey

  /// Wraps key material of any length.
  public init(bytes: [UInt8]) { key = SymmetricKey(data: bytes) }

  private init(key: SymmetricKey) { self.key = key }

  /// Returns a fresh key of 256 bits.
  public static func random() -> RedactionKey { RedactionKey(key: SymmetricKey(size: .bits256)) }

  /// Names the key without giving it away: eight hex digits.
  public var id: String {
    let code = HMAC<SHA256>.authenticationCode(for: Array("mcptrace key id".utf8), using: key)
    return hex(code.prefix(4))
  }
}

/// Replaces credentials by keyed surrogates of the same shape: equal values stay equal, nothing can be turned back.
///
/// What counts as a credential: the headers of `headerNames`, the query parameters of `parameterNames`, and the MCP session id.
/// Letters become letters, digits digits, hex stays hex; punctuation and the authentication scheme stay.
public struct Redactor: Sendable {
  /// Headers whose value is a credential, in lower case.
  public static let headerNames: Set<String> = [
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key",
    "x-auth-token", "x-access-token", "x-csrf-token", "x-amz-security-token",
    "x-goog-api-key", "mcp-session-id", "www-authenticate-token", "dpop",
  ]
  /// Query parameters whose value is a credential, in lower case.
  public static let parameterNames: Set<String> = [
    "access_token", "refresh_token", "id_token", "token", "code", "code_verifier", "client_secret",
    "api_key", "apikey", "key", "sig", "signature", "password", "secret", "session_id",
    "sessionid", "state", "assertion",
  ]

  private let key: RedactionKey

  /// Creates a redactor.
  public init(key: RedactionKey) { self.key = key }

  /// The trace header's `redaction` value.
  public var description: JSONValue {
    .object([
      .init("mode", .string("credentials")), .init("key_id", .string(key.id)),
      .init(
        "rules",
        .array(["headers", "query", "mcp-session-id"].map { .string($0) })),
    ])
  }

  /// Returns the fields with credentials replaced.
  public func fields(_ fields: [HeaderField]) -> [HeaderField] {
    fields.map { field in
      let name = field.name.lowercased()
      if Redactor.headerNames.contains(name) {
        return HeaderField(field.name, credential(field.value, header: name))
      }
      // Addresses may carry credentials in their query.
      if name == "location" || name == "referer" {
        return HeaderField(field.name, target(field.value))
      }
      return field
    }
  }

  /// Returns a request target or URL with the credentials in its query replaced.
  public func target(_ target: String) -> String {
    guard let mark = target.firstIndex(of: "?") else { return target }
    let query = target[target.index(after: mark)...]
    let parts = query.split(separator: "&", omittingEmptySubsequences: false).map { part in
      guard let equals = part.firstIndex(of: "="),
        Redactor.parameterNames.contains(part[..<equals].lowercased())
      else { return String(part) }
      return part[...equals] + surrogate(String(part[part.index(after: equals)...]))
    }
    return target[...mark] + parts.joined(separator: "&")
  }

  /// Returns the surrogate of one secret: same length and shape, letters and digits exchanged.
  public func surrogate(_ value: String) -> String {
    let bytes = Array(value.utf8)
    let stream = keystream(for: bytes)
    let isHex = bytes.count >= 8 && bytes.allSatisfy { isHexOrDash($0) }
    let hexDigits = Array("0123456789abcdef".utf8)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    for (i, byte) in bytes.enumerated() {
      let noise = stream[i]
      switch byte {
      case 0x30...0x39 where isHex, 0x61...0x66 where isHex: out.append(hexDigits[Int(noise) % 16])
      case 0x30...0x39: out.append(0x30 + noise % 10)
      case 0x41...0x5a: out.append(0x41 + noise % 26)
      case 0x61...0x7a: out.append(0x61 + noise % 26)
      case 0x80...: out.append(0x61 + noise % 26)
      default: out.append(byte)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Replaces a header's secret but keeps what tells its kind: the scheme, and names of cookies.
  private func credential(_ value: String, header: String) -> String {
    switch header {
    case "cookie", "set-cookie":
      return value.split(separator: ";", omittingEmptySubsequences: false).map { part in
        guard let equals = part.firstIndex(of: "=") else { return String(part) }
        let name = part[..<equals].drop { $0 == " " }.lowercased()
        if ["path", "domain", "expires", "max-age", "samesite"].contains(name) {
          return String(part)
        }
        return part[...equals] + surrogate(String(part[part.index(after: equals)...]))
      }.joined(separator: ";")
    case "authorization", "proxy-authorization":
      guard let space = value.firstIndex(of: " ") else { return surrogate(value) }
      return value[...space] + surrogate(String(value[value.index(after: space)...]))
    default: return surrogate(value)
    }
  }

  private func isHexOrDash(_ byte: UInt8) -> Bool {
    (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66) || byte == 0x2d
  }

  /// HMAC-SHA-256 of the value in counter mode, as many bytes as the value has.
  private func keystream(for value: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = []
    var counter: UInt32 = 0
    while stream.count < value.count {
      let block = (0..<4).map { UInt8(truncatingIfNeeded: counter >> ($0 * 8)) } + value
      stream += Array(HMAC<SHA256>.authenticationCode(for: block, using: key.key))
      counter += 1
    }
    return stream
  }
}

/// Returns bytes as lower-case hex.
func hex(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var out: [UInt8] = []
  for byte in bytes {
    out.append(digits[Int(byte >> 4)])
    out.append(digits[Int(byte & 15)])
  }
  return String(decoding: out, as: UTF8.self)
}
