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
    "x-goog-api-key", "mcp-session-id", "dpop", "x-amzn-oidc-data", "x-goog-iap-jwt-assertion",
  ]
  /// Headers whose name holds one of these are taken for credentials too.
  public static let headerWords = [
    "token", "secret", "password", "passwd", "api-key", "apikey", "credential", "authorization",
    "session-id", "sessionid", "-jwt", "subscription-key",
  ]
  /// Query parameters whose value is a credential, in lower case.
  public static let parameterNames: Set<String> = [
    "access_token", "refresh_token", "id_token", "token", "code", "code_verifier", "client_secret",
    "api_key", "apikey", "key", "sig", "signature", "password", "secret", "session_id",
    "sessionid", "jsessionid", "sid", "state", "assertion", "auth", "jwt", "bearer", "ticket",
    "x-amz-signature", "x-amz-credential", "x-amz-security-token",
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

  /// What of a header's value is secret.
  enum Secrecy: UInt8 {
    case none
    case all
    case cookie
    case setCookie
    /// What stands behind the scheme.
    case authorization
    /// Addresses may carry credentials in their query.
    case address
  }

  /// Decides by a header's name.
  static func secrecy(ofHeader name: String) -> Secrecy {
    let name = name.lowercased()
    switch name {
    case "cookie": return .cookie
    case "set-cookie": return .setCookie
    case "authorization", "proxy-authorization": return .authorization
    case "location", "content-location", "referer", "link", "refresh": return .address
    default:
      let isSecret = headerNames.contains(name) || headerWords.contains(where: name.contains)
      return isSecret ? .all : .none
    }
  }

  /// Returns a header's value with what is secret of it replaced; keeps what tells its kind: the scheme, and names of cookies.
  func value(_ value: String, _ secrecy: Secrecy) -> String {
    switch secrecy {
    case .none: return value
    case .all: return surrogate(value)
    case .address: return target(value)
    case .cookie: return cookies(value, isSet: false)
    case .setCookie: return cookies(value, isSet: true)
    case .authorization:
      guard let space = value.firstIndex(of: " ") else { return surrogate(value) }
      return value[...space] + surrogate(String(value[value.index(after: space)...]))
    }
  }

  private func cookies(_ value: String, isSet: Bool) -> String {
    value.split(separator: ";", omittingEmptySubsequences: false).map { part in
      guard let equals = part.firstIndex(of: "=") else {
        return isSet ? String(part) : surrogate(String(part))
      }
      let name = part[..<equals].drop { $0 == " " }.lowercased()
      if isSet, ["path", "domain", "expires", "max-age", "samesite"].contains(name) {
        return String(part)
      }
      return part[...equals] + surrogate(String(part[part.index(after: equals)...]))
    }.joined(separator: ";")
  }

  /// Returns a request target or URL with the credentials in its query, fragment and user information replaced.
  public func target(_ target: String) -> String {
    parameters(of: userRemoved(target)) { Redactor.parameterNames.contains($0) }
  }

  /// Returns the URL of an `endpoint` event, which is a session's key: all its values are replaced, or else its last segment.
  public func endpoint(_ target: String) -> String {
    guard !target.contains("=") else { return parameters(of: userRemoved(target)) { _ in true } }
    guard let slash = target.lastIndex(of: "/") else { return surrogate(target) }
    return target[...slash] + surrogate(String(target[target.index(after: slash)...]))
  }

  /// Replaces the values of parameters by name, wherever they stand: `?a=1&b=2`, `;a=1`, `#a=1`.
  private func parameters(of target: String, where isSecret: (String) -> Bool) -> String {
    let ends: Set<Character> = ["?", "#", "&", ";", ">"]
    var out = ""
    var rest = target[...]
    while let end = rest.firstIndex(where: ends.contains) {
      out += rest[...end]
      rest = rest[rest.index(after: end)...]
      let part = rest.prefix { !ends.contains($0) }
      guard let equals = part.firstIndex(of: "="), isSecret(part[..<equals].lowercased()) else {
        continue
      }
      out += part[...equals] + surrogate(String(part[part.index(after: equals)...]))
      rest = rest[part.endIndex...]
    }
    return out + rest
  }

  /// Replaces `user:password@` of an absolute URL.
  private func userRemoved(_ target: String) -> String {
    let parts = target.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count > 2, parts[0].hasSuffix(":"), parts[1].isEmpty,
      let at = parts[2].lastIndex(of: "@")
    else { return target }
    return target[..<parts[2].startIndex] + surrogate(String(parts[2][..<at])) + target[at...]
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
