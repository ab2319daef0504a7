import Basics

/// What the name of a member, variable, parameter or field says of its value.
enum CredentialName: UInt8 {
  /// Nothing.
  case none
  /// That it may be a credential, if it looks like one: `token` counts words too.
  case likely
  /// That it is one.
  case certain

  /// Longest name that is looked at.
  static let limit = 64

  /// Classifies a name by its last words: `clientSecret`, `DB_PASSWORD`, `x-api-key`, `apikey`.
  init(_ name: Span<UInt8>) {
    self = .none
    guard name.count >= 3, name.count <= CredentialName.limit,
      CredentialName.mayBe(name), !CredentialName.isProgressToken(name)
    else { return }
    let words = CredentialName.words(name)
    guard let last = words.last else { return }
    let before = words.count > 1 ? words[words.count - 2] : ""
    if CredentialName.certainWords.contains(last) {
      self = .certain
    } else if last == "key" || last == "keys" {
      if CredentialName.keyKinds.contains(before) { self = .certain }
    } else if last == "verifier" || last == "assertion" || last == "code" {
      if ["code", "client", "device"].contains(before) { self = .certain }
    } else if last == "token" || last == "tokens" {
      if words.count == 1 || last == "tokens" {
        self = .likely
      } else if !CredentialName.placeKinds.contains(before) {
        self = CredentialName.tokenKinds.contains(before) ? .certain : .likely
      }
    } else if last == "auth" || last == "pass" {
      self = .likely
    }
  }

  /// Classifies a name.
  init(_ name: String) { self = CredentialName(name.utf8Span.span) }

  /// Whether a name ends as one of the words below, as far as its last three letters tell; most names do not.
  private static func mayBe(_ name: Span<UInt8>) -> Bool {
    let end = name.count
    let place =
      Int(name[end - 3] & 31) << 10 | Int(name[end - 2] & 31) << 5 | Int(name[end - 1] & 31)
    guard ends[place >> 6] >> UInt64(place & 63) & 1 == 1 else { return false }
    // `version` is everywhere: authorizations and assertions end in -tion.
    return place != version || end > 3 && name[end - 4] & 31 == 20
  }

  /// Whether it is the one of these that nearly every request of MCP has, and that is none.
  private static func isProgressToken(_ name: Span<UInt8>) -> Bool {
    ByteScan.isEqual(name, "progressToken".utf8Span.span)
  }

  /// A bit for each three letters, of which case does not matter.
  private static let ends: [UInt64] = {
    var ends = [UInt64](repeating: 0, count: 512)
    let others = [
      "key", "keys", "verifier", "assertion", "code", "token", "tokens", "auth", "pass",
    ]
    for word in Array(certainWords) + others {
      let place = word.utf8.suffix(3).reduce(0) { $0 << 5 | Int($1 & 31) }
      ends[place >> 6] |= 1 << UInt64(place & 63)
    }
    return ends
  }()

  /// `ion`
  private static let version = 9 << 10 | 15 << 5 | 14

  private static let certainWords: Set<String> = [
    "password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets",
    "apikey", "apikeys", "apitoken", "authkey", "accesskey", "secretkey", "privatekey",
    "accountkey",
    "clientsecret", "accesstoken", "refreshtoken", "idtoken", "authtoken", "sessiontoken",
    "bearertoken", "credential", "credentials", "authorization", "cookie", "jwt", "appsecret",
    "codeverifier", "sharedaccesskey", "sas", "otp", "cvv", "cvc", "ssn",
  ]
  private static let keyKinds: Set<String> = [
    "api", "access", "secret", "private", "account", "auth", "authentication", "encryption",
    "decryption", "signing", "signature", "subscription", "master", "shared", "storage", "service",
    "webhook", "client", "app", "application", "consumer", "license", "ssh", "deploy", "host",
    "functions", "wrapping", "symmetric", "hmac", "jwt",
  ]
  private static let tokenKinds: Set<String> = [
    "access", "refresh", "id", "auth", "bearer", "api", "session", "oauth", "registration", "bot",
    "security", "csrf", "xsrf", "personal", "private", "deploy", "secret", "user", "client",
    "registry", "github", "gitlab", "slack", "npm", "service", "device", "authorization", "admin",
  ]
  /// Tokens that say where a list goes on, or what a message belongs to.
  private static let placeKinds: Set<String> = [
    "next", "page", "progress", "continuation", "sync", "cursor", "start", "end", "resume",
    "previous", "prev", "max", "min", "eos", "bos", "pad", "unk", "stop", "special", "per",
  ]

  /// The words of a name in lower case: parted by marks, and where small letters turn to capitals.
  static func words(_ name: Span<UInt8>) -> [String] {
    var words: [String] = []
    var word: [UInt8] = []
    func end() {
      if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
      word = []
    }
    for i in name.indices {
      let byte = name[i]
      let isUpper = byte &- 0x41 < 26
      guard isUpper || byte &- 0x61 < 26 || byte &- 0x30 < 10 else {
        end()
        continue
      }
      if isUpper, i > 0 {
        let isAfterSmall = !(name[i - 1] &- 0x41 < 26)
        let isBeforeSmall = i + 1 < name.count && name[i + 1] &- 0x61 < 26
        // `APIKey` is two words, and so is `apiKey`; `APIs` is one with a plural.
        if isAfterSmall || isBeforeSmall && i + 2 < name.count { end() }
      }
      word.append(asciiLowercase(byte))
    }
    end()
    return words
  }

  /// Whether the value under such a name is taken for a credential.
  ///
  /// Words are none: `token: required`; nor is what stands for a value: `${TOKEN}`, `<password>`, `****`.
  func isCredential(_ value: Span<UInt8>, isBare: Bool = false) -> Bool {
    guard self != .none, !CredentialName.isPlaceholder(value) else { return false }
    guard self == .likely || isBare else { return value.count >= 3 }
    var (digits, small, large) = (0, 0, 0)
    for i in value.indices {
      let byte = value[i]
      if byte == 0x20 { return false }
      if byte &- 0x30 < 10 { digits += 1 }
      if byte &- 0x61 < 26 { small += 1 }
      if byte &- 0x41 < 26 { large += 1 }
    }
    if self == .likely {
      return value.count >= 8 && digits > 0 && digits < value.count || value.count >= 20
    }
    return value.count >= 5 && (digits > 0 || small > 1 && large > 1 || small + large < value.count)
  }

  private static func isPlaceholder(_ value: Span<UInt8>) -> Bool {
    guard value.count > 0 else { return true }
    switch value[0] {
    case 0x24, 0x3c, 0x7b, 0x25: return true  // $ < { %
    case 0x2a, 0x78, 0x58, 0x2e, 0x5b:  // * x X . [
      let first = value[0]
      for i in value.indices where value[i] != first { return value[0] == 0x5b }
      return true
    default: break
    }
    guard value.count <= 11 else { return false }
    return emptyWords.contains(ByteScan.string(value, 0..<value.count).lowercased())
  }

  private static let emptyWords: Set<String> = [
    "true", "false", "null", "none", "nil", "undefined", "string", "number", "integer", "boolean",
    "object", "array", "required", "optional", "str", "int", "password", "secret", "token",
    "redacted", "[redacted]", "bearer", "basic", "unset", "empty", "default",
  ]
}
