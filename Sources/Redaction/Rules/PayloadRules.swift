/// What of payloads is replaced, and by surrogates of which key.
public struct PayloadRules: Sendable {
  /// Makes the surrogates.
  public var key: RedactionKey
  /// What is replaced.
  public var rules: [RedactionRule]
  /// Replaces every value, whatever the rules say: structure, types and lengths are kept.
  public var isShape: Bool

  /// Whether credentials in `_meta` are replaced without a rule.
  public var hidesCredentials = true

  /// Creates rules; without any, and without `isShape`, nothing of payloads is replaced.
  public init(key: RedactionKey, rules: [RedactionRule] = [], isShape: Bool = false) {
    self.key = key
    self.rules = rules
    self.isShape = isShape
  }

  /// The rules as a trace's header names them. A regular expression may hold what it is to hide, so it is named by a keyed hash.
  public var names: [String] {
    rules.map { rule in
      switch rule {
      case .path(let path): path.text
      case .pattern(let text): "re:#\(key.name(of: text))"
      case .secrets: "secrets"
      }
    }
  }
}
