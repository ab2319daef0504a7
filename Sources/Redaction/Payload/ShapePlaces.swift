public import Basics

/// Where surrogates stand in a payload that was kept as `shape`.
///
/// Such a trace does not list them (`redacted`): the rule that put them there says it again, since what it keeps and why it does so
/// is still there to be seen. Of `_meta` only credentials count: what else a client says of itself no call needs.
public struct ShapePlaces {
  private let shape: PayloadRedactor
  private let credentials: PayloadRedactor

  /// Creates the rule.
  public init() {
    // Which surrogates it would make does not matter.
    let key = RedactionKey(bytes: [0])
    shape = PayloadRedactor(PayloadRules(key: key, isShape: true))
    credentials = PayloadRedactor(credentialsOf: key)
  }

  /// Returns the places as pointers, in order; empty when all is as it was.
  public func pointers(in json: RawJSON, _ part: PayloadPart, of method: String) -> [String] {
    let all = (shape.payload(json, part, of: method).pointers ?? []).filter {
      !$0.hasPrefix("/_meta/")
    }
    guard let meta = json.member("_meta") else { return all }
    return all + (credentials.credentials(in: json, meta: meta, part, of: method).pointers ?? [])
  }
}
