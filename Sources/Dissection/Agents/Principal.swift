import Basics
import Crypto
import NIOCore
import Redaction

/// Who a request is authorised as.
enum Principal {
  private static let headers = [KnownField.authorization, .cookie, .apiKey, .plainAPIKey]

  /// What of a request's credentials stays the same while they are renewed; `nil` without any.
  static func credential(of exchange: MCPExchange) -> String? {
    let values = headers.compactMap { exchange.requestHeader($0) }
    guard !values.isEmpty else { return nil }
    if values.count == 1, let identity = exchange.principal ?? identity(ofBearer: values[0]) {
      return identity
    }
    return values.joined(separator: "\n")
  }

  /// Issuer, subject and client of a bearer JWT (RFC 9068), as JSON; `nil` for other credentials.
  static func identity(ofBearer authorization: String) -> String? {
    let parts = authorization.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    let segments = parts[1].split(separator: ".", omittingEmptySubsequences: false)
    guard segments.count == 3 else { return nil }
    var text = String(
      segments[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    while text.utf8.count % 4 != 0 { text += "=" }
    guard let bytes = Base64.decode(text), let claims = JSONValue(parsing: bytes),
      let subject = claims["sub"]
    else { return nil }
    let client = claims["client_id"] ?? claims["azp"] ?? .null
    return RawJSON(.array([claims["iss"] ?? .null, subject, client])).text
  }

  /// Sixteen hex digits for an identity, keyed where credentials are replaced.
  static func hash(_ identity: String, _ redactor: Redactor?) -> String {
    let digest = String(hex(SHA256.hash(data: Array(identity.utf8))).prefix(16))
    return redactor?.surrogate(digest) ?? digest
  }
}
