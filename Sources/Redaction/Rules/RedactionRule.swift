/// What of payloads is to be replaced: an argument of `--redact`.
public enum RedactionRule: Hashable, Sendable {
  /// What lies at a place, a pattern of a JSON Pointer.
  case path(PathPattern)
  /// What a regular expression finds in strings.
  case pattern(String)
  /// What looks like a secret.
  case secrets

  /// Why an argument is no rule.
  public struct SyntaxError: Error, CustomStringConvertible, Sendable {
    /// One sentence that says what is wanted.
    public var description: String
  }

  /// What a rule may be, for the help of commands.
  public static let help = """
    secrets: what looks like one: tokens of more than 100 shapes (AWS, GitHub, GitLab, Slack, Stripe, OpenAI, Anthropic, Google, \
    Azure, npm, PyPI, JWTs, private keys, …), passwords in URLs, 'Bearer …', what stands behind names as password=, \
    api_key: or "client_secret":, in params, results, errors, other bodies, header fields and targets, also in JSON \
    inside text.
    /PATH: what lies at a place, a JSON Pointer that begins with /params, /result or /error, in which * is any one step and ** any \
    number of steps: /params/arguments/*/email, /result/**/ssn, /**/password. JSON inside text is entered as if it stood there. \
    All below a place belongs to it; true becomes false, null stays.
    re:REGEX: what a Swift regular expression finds in strings, or its groups where it has some: 're:\\b\\d{3}-\\d{2}-\\d{4}\\b'.
    Equal values get equal surrogates of the same type and length everywhere. Values of 8 bytes or more that were replaced once are \
    replaced wherever they come again as a whole value (with 'secrets' also as a word of a text). Bindings are learned before.
    """

  /// Reads arguments.
  ///
  /// - Throws: `SyntaxError` of the first that is none.
  public static func rules(_ arguments: [String]) throws(SyntaxError) -> [RedactionRule] {
    var rules: [RedactionRule] = []
    for argument in arguments { rules.append(try RedactionRule(argument)) }
    return rules
  }

  /// Reads the name by which a trace's header knows a rule; `nil` where that does not tell it (`PayloadRules.names`).
  public init?(named name: String) {
    if name == "secrets" {
      self = .secrets
    } else if let path = PathPattern(name) {
      self = .path(path)
    } else {
      return nil
    }
  }

  /// Reads an argument: `/POINTER`, `re:REGEX` or `secrets`.
  ///
  /// - Throws: `SyntaxError`.
  public init(_ argument: String) throws(SyntaxError) {
    if argument == "secrets" {
      self = .secrets
    } else if argument.hasPrefix("re:") {
      let text = String(argument.dropFirst(3))
      guard !text.isEmpty else {
        throw SyntaxError(description: "'re:' wants a regular expression behind it")
      }
      do {
        _ = try Regex(text)
      } catch {
        throw SyntaxError(description: "'\(argument)' is no regular expression: \(error)")
      }
      self = .pattern(text)
    } else if let path = PathPattern(argument) {
      self = .path(path)
    } else {
      throw SyntaxError(
        description:
          "'\(argument)' is no rule: want a path as /params/arguments/*/email, re:REGEX, or secrets"
      )
    }
  }
}
