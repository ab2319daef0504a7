public import ArgumentParser
public import Redaction

/// What of payloads is replaced, and by surrogates of which key: what `record` and `trace redact` are told of it.
public struct RedactionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Replace in payloads what the rule names; may be repeated.",
      discussion: RedactionRule.help, valueName: "rule"))
  private var redact: [String] = []

  @Option(
    help: ArgumentHelp(
      "Key for surrogates: those who share it give equal surrogates to equal values.",
      discussion: "Default: a fresh key each time.", valueName: "file"))
  private var redactionKey: String?

  /// Creates the options' defaults.
  public init() {}

  /// Refuses what is no rule.
  public func validate() throws { _ = try rules() }

  /// True when nothing is named.
  public var isEmpty: Bool { redact.isEmpty }

  /// The rules.
  ///
  /// - Throws: `ValidationError` for one that is none.
  public func rules() throws -> [RedactionRule] {
    do throws(RedactionRule.SyntaxError) {
      return try RedactionRule.rules(redact)
    } catch {
      throw ValidationError("--redact \(error)")
    }
  }

  /// The key: that of the file, else a fresh one.
  ///
  /// - Throws: `RedactionKey.FileError`.
  public func key() throws(RedactionKey.FileError) -> RedactionKey {
    guard let redactionKey else { return .random() }
    return try RedactionKey(file: redactionKey)
  }
}
