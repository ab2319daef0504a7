public import Basics
import NIOCore

/// Replaces in payloads, texts and header fields what rules name and what looks like a secret.
///
/// One for a recording: it remembers what it replaced (`KnownSecrets`). Not for use by several threads at once.
public final class PayloadRedactor {
  /// Under which names of members values are taken for credentials.
  enum NameScope {
    case everywhere
    case meta
    case nowhere
  }

  let surrogate: Surrogate
  let paths: [PathPattern]
  let isShape: Bool
  let names: NameScope
  /// Whether texts are looked into.
  let looksIntoText: Bool
  private let regexes: [Regex<AnyRegexOutput>]
  private let scansSecrets: Bool
  private var scanner = SecretScanner()
  private var known = KnownSecrets()

  /// Creates a redactor that follows rules; a regular expression that can't be read finds nothing (`RedactionRule` read it before).
  public init(_ rules: PayloadRules) {
    surrogate = Surrogate(key: rules.key)
    isShape = rules.isShape
    var paths: [PathPattern] = []
    var regexes: [Regex<AnyRegexOutput>] = []
    for rule in rules.rules {
      switch rule {
      case .path(let path): paths.append(path)
      case .pattern(let text):
        do { regexes.append(try Regex(text)) } catch { continue }
      case .secrets: break
      }
    }
    (self.paths, self.regexes) = (paths, regexes)
    scansSecrets = rules.rules.contains(.secrets)
    names = scansSecrets ? .everywhere : rules.hidesCredentials ? .meta : .nowhere
    looksIntoText = scansSecrets || !regexes.isEmpty
  }

  /// Creates a redactor of what must not be kept whatever the rules say: credentials in `_meta`, and in bodies that are no message.
  public init(credentialsOf key: RedactionKey) {
    surrogate = Surrogate(key: key)
    (isShape, names, looksIntoText, scansSecrets) = (false, .meta, true, true)
    (paths, regexes) = ([], [])
  }

  /// Returns the payload as it may be shown.
  public func payload(
    _ json: RawJSON, _ part: PayloadPart, of method: String
  ) -> RedactedPayload {
    var walk = PayloadWalk(self, part, method)
    return walk.payload(json)
  }

  /// Returns a payload with the credentials in its `_meta` replaced; `meta` is that member.
  public func credentials(
    in json: RawJSON, meta: RawJSON, _ part: PayloadPart, of method: String
  ) -> RedactedPayload {
    // Most have none: the whole is read only for those that do.
    let bytes = meta.bytes
    guard PayloadRedactor.namesCredential(bytes.readableBytesUInt8Span) else {
      return RedactedPayload(json)
    }
    var walk = PayloadWalk(self, part, method, looksAtNamesOnly: true)
    return walk.payload(json)
  }

  /// Whether a member's name in a JSON text without white space may be a credential's: names stand in front of `":`.
  private static func namesCredential(_ json: Span<UInt8>) -> Bool {
    var i = 1
    while let colon = ByteScan.firstIndex(of: 0x3a, in: json, from: i) {
      i = colon + 1
      guard json[colon - 1] == 0x22 else { continue }
      var start = colon - 1
      while start > 0, colon - start <= CredentialName.limit, json[start - 1] != 0x22 { start -= 1 }
      if CredentialName(json.extracting(start..<colon - 1)) != .none { return true }
    }
    return false
  }

  /// Returns JSON that is no payload with what texts hide replaced: what later versions added to a line.
  public func unknown(_ json: RawJSON) -> RawJSON {
    var walk = PayloadWalk(self, nil, "")
    return walk.payload(json).json
  }

  /// Returns a text with what the rules find replaced; `nil` when that is nothing. Of a text that is cut, the last word is replaced too.
  public func text(_ text: Span<UInt8>, isCut: Bool = false) -> [UInt8]? {
    let ranges = find(text, isCut: isCut)
    return ranges.isEmpty ? nil : replacing(text, ranges)
  }

  /// The same for text as a string.
  public func text(_ text: String, isCut: Bool = false) -> String {
    self.text(text.utf8Span.span, isCut: isCut).map { String(decoding: $0, as: UTF8.self) } ?? text
  }

  /// Returns `shown`, a text of the same length in which credentials of `original` are replaced, with what the rules find in the rest
  /// replaced too; `nil` when that is nothing.
  func text(_ original: Span<UInt8>, over shown: Span<UInt8>) -> [UInt8]? {
    guard original.count == shown.count else { return text(shown) }
    var out: [UInt8]?
    for range in find(original) {
      let secret = original.extracting(range)
      guard ByteScan.isEqual(secret, shown.extracting(range)) else { continue }
      var text = out ?? [UInt8](copying: shown)
      remember(secret)
      text.replaceSubrange(range, with: surrogate.value([UInt8](copying: secret)))
      out = text
    }
    return out
  }

  /// The same for strings.
  public func text(_ original: String, over shown: String) -> String {
    text(original.utf8Span.span, over: shown.utf8Span.span)
      .map { String(decoding: $0, as: UTF8.self) } ?? shown
  }

  /// Remembers the credentials that header fields hold, so that they are known where a text has them; `shown` are the same
  /// fields without them.
  public func remember(credentialsIn fields: HeaderFields, shown: HeaderFields) {
    guard scansSecrets, fields.block !== shown.block else { return }
    for i in fields.indices {
      let value = fields.value(i)
      guard !ByteScan.isEqual(value, shown.value(i)) else { continue }
      let start = Credential.behindScheme(value, 0, value.count)
      known.insert(value.extracting(start..<value.count))
    }
  }

  /// Whether a whole value was replaced elsewhere.
  func isKnown(_ value: Span<UInt8>) -> Bool { known.contains(value) }

  /// Remembers a value that was replaced.
  func remember(_ value: Span<UInt8>) { if !isShape { known.insert(value) } }

  /// Places of a text that are to be replaced, in order.
  func find(_ text: Span<UInt8>, isCut: Bool = false) -> [Range<Int>] {
    guard looksIntoText, text.count > 2 else { return [] }
    if scansSecrets { scanner.scan(text, isCut: isCut, known: &known) }
    let found = scansSecrets ? scanner.found : []
    guard !regexes.isEmpty else { return found }
    let string = ByteScan.string(text, 0..<text.count)
    guard string.utf8.count == text.count else { return found }
    var all = found
    for regex in regexes {
      for match in string.matches(of: regex) { all += PayloadRedactor.places(match, in: string) }
    }
    return PayloadRedactor.merged(all)
  }

  /// What of a match is hidden: its groups, or all where it has none.
  private static func places(
    _ match: Regex<AnyRegexOutput>.Match, in text: String
  ) -> [Range<Int>] {
    let groups = match.output.dropFirst().compactMap(\.range)
    return (groups.isEmpty ? [match.range] : groups).compactMap { range in
      let start = text.utf8.distance(from: text.startIndex, to: range.lowerBound)
      let end = text.utf8.distance(from: text.startIndex, to: range.upperBound)
      return start < end ? start..<end : nil
    }
  }

  private static func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var merged: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, last.upperBound > range.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }

  /// Returns the text with surrogates at these places.
  func replacing(_ text: Span<UInt8>, _ ranges: [Range<Int>]) -> [UInt8] {
    var out = [UInt8](copying: text)
    for range in ranges {
      let secret = text.extracting(range)
      remember(secret)
      out.replaceSubrange(range, with: surrogate.value([UInt8](copying: secret)))
    }
    return out
  }
}

extension [UInt8] {
  /// Copies a span.
  init(copying span: Span<UInt8>) {
    self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
  }
}
