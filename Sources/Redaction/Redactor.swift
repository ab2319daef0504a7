public import Basics

/// Replaces credentials by keyed surrogates of the same shape: equal values stay equal, nothing can be turned back.
///
/// What counts as a credential: the headers of `headerNames` and `headerWords`, the query parameters of `parameterNames` and whatever
/// else is called like one (`CredentialName`), user information of URLs, and the MCP session id. Names of cookies and the
/// authentication scheme stay.
public struct Redactor: Sendable {
  /// Headers whose value is a credential, in lower case.
  public static let headerNames: Set<String> = [
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key",
    "x-auth-token", "x-access-token", "x-csrf-token", "x-amz-security-token",
    "x-goog-api-key", "mcp-session-id", "dpop", "x-amzn-oidc-data", "x-goog-iap-jwt-assertion",
    "x-key", "x-auth", "auth", "x-session", "x-signature", "x-sid",
  ]
  /// Headers whose name holds one of these are taken for credentials too.
  public static let headerWords = [
    "token", "secret", "password", "passwd", "api-key", "apikey", "credential", "authorization",
    "session-id", "sessionid", "-jwt", "jwt-", "subscription-key", "auth-key", "access-key",
    "secret-key", "private-key", "functions-key", "master-key", "account-key", "signature",
    "passphrase", "cookie", "assertion", "x-auth-",
  ]
  /// Query parameters whose value is a credential, in lower case.
  public static let parameterNames: Set<String> = [
    "access_token", "refresh_token", "id_token", "token", "code", "code_verifier", "client_secret",
    "api_key", "apikey", "key", "sig", "signature", "password", "secret", "session_id",
    "sessionid", "jsessionid", "sid", "state", "assertion", "auth", "jwt", "bearer", "ticket",
    "x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-goog-signature",
    "x-goog-credential", "awsaccesskeyid", "session", "mcp-session-id", "device_code",
    "user_code", "id_token_hint", "registration_access_token", "passwd", "pwd", "pass", "hmac",
    "csrf", "xsrf", "oauth_verifier", "oauth_signature", "samlresponse", "samlrequest", "hapikey",
    "phpsessid", "apitoken", "access_key", "authcode", "auth_code", "otp",
    "client_assertion", "subject_token", "actor_token", "login_hint_token", "logout_token",
  ]

  /// Makes the surrogates.
  public let key: RedactionKey

  /// Creates a redactor.
  public init(key: RedactionKey) { self.key = key }

  /// What is done to every trace, as its header names it.
  public static let ruleNames = ["headers", "query", "mcp-session-id", "bodies", "_meta"]

  /// The trace header's `redaction` value.
  ///
  /// `mode` is `off`, `credentials`, or `payloads` where rules or `--payloads` replace more than these.
  public static func description(
    credentials: RedactionKey?, payloads: PayloadRules?
  ) -> JSONValue {
    let names = (credentials == nil ? [] : ruleNames) + (payloads?.names ?? [])
    guard let key = credentials ?? payloads?.key, credentials != nil || !names.isEmpty else {
      return .object([.init("mode", .string("off"))])
    }
    let isMore = payloads.map { !$0.rules.isEmpty } ?? false
    return .object([
      .init("mode", .string(isMore ? "payloads" : "credentials")),
      .init("key_id", .string(key.id)), .init("rules", .array(names.map { .string($0) })),
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

  /// Returns the surrogate of one secret: same length and shape, letters and digits exchanged.
  public func surrogate(_ value: String) -> String {
    String(decoding: Surrogate(key: key).value(Array(value.utf8)), as: UTF8.self)
  }
}
