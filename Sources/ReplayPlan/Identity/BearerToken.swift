public import Basics
import NIOCore

/// An OAuth bearer token (RFC 6750) as a file or a command gives it.
public struct BearerToken: Hashable, Sendable {
  /// Why a text is none.
  public enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first line is empty.
    case empty
    /// The first line holds what no header can.
    case unsendable

    /// What is wrong, as the end of a sentence.
    public var description: String {
      switch self {
      case .empty: "the first line is empty"
      case .unsendable: "the first line holds what no header can (RFC 6750: visible ASCII alone)"
      }
    }
  }

  /// The token; never to be shown.
  public let text: String
  /// When it ends, seconds since 1970, where it is a JWT that says so (RFC 7519 4.1.4).
  public let expiry: Int64?

  /// Takes the first line without white space around it; a `Bearer ` before it is not part of the token.
  ///
  /// - Throws: `Flaw`.
  public init(firstLineOf output: String) throws(Flaw) {
    let line = output.prefix { !$0.isNewline }
    var words = line.split(whereSeparator: \.isWhitespace)
    if words.count == 2, words[0].lowercased() == "bearer" { words.removeFirst() }
    guard let word = words.first else { throw .empty }
    guard words.count == 1, word.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw .unsendable
    }
    text = String(word)
    expiry = BearerToken.expiry(of: text)
  }

  private static func expiry(of token: String) -> Int64? {
    let segments = token.split(separator: ".", omittingEmptySubsequences: false)
    guard segments.count == 3 else { return nil }
    var text = String(segments[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    while text.utf8.count % 4 != 0 { text += "=" }
    guard let bytes = Base64.decode(text), let claim = JSONValue(parsing: bytes)?["exp"] else {
      return nil
    }
    let seconds = claim.int ?? claim.double.map { Int64(clamping: $0.rounded(.down)) }
    // Seconds since 1970; what lies beyond is no time.
    return seconds.map { min(max($0, 0), 1 << 40) }
  }
}

/// What all agents of a run are authorised with for now.
public final class Credential: Sendable {
  /// Counts renewals, whether they brought another token or not.
  public let version: Int
  /// The header line.
  let line: ByteBuffer
  /// This token and those before it, as bytes.
  private let secrets: [[UInt8]]

  /// Tokens of before that are remembered.
  private static let memory = 8

  /// Creates the credential that `token` is, after `earlier`.
  public init(_ token: BearerToken, after earlier: Credential? = nil) {
    version = (earlier?.version ?? 0) + 1
    line = ByteBuffer(string: "Authorization: Bearer \(token.text)\r\n")
    let secret = Array(token.text.utf8)
    let known = earlier?.secrets ?? []
    secrets = known.contains(secret) ? known : [secret] + known.prefix(Credential.memory - 1)
  }

  /// Returns a JSON value in which stars stand for the tokens, if it says any. O(n).
  public func masked(_ json: RawJSON) -> RawJSON {
    var bytes: [UInt8]?
    for secret in secrets {
      guard let first = secret.first else { continue }
      var text = bytes ?? Array(json.bytes.readableBytesView)
      var at = 0
      while let found = text[at...].firstIndex(of: first) {
        at = found + 1
        guard text[found...].starts(with: secret) else { continue }
        for place in found..<found + secret.count { text[place] = UInt8(ascii: "*") }
        at = found + secret.count
        bytes = text
      }
    }
    return bytes.map { RawJSON(trusted: ByteBuffer(bytes: $0)) } ?? json
  }
}
