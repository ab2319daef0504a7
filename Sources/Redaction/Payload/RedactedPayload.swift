public import Basics

/// A payload as it may be shown, and what of it was replaced.
public struct RedactedPayload: Sendable {
  /// A string or number that was replaced, in whole or in part.
  public struct Change: Sendable {
    /// Where it stands: a path as those of `uses`, in which `#` enters the JSON that a string holds.
    public var path: [UInt8]
    /// Its text as shown, unescaped.
    public var text: [UInt8]
    /// Hash of its text as it was.
    var original: UInt64
  }

  /// The text.
  public var json: RawJSON
  /// What was replaced, in order.
  public var changes: [Change] = []

  /// A payload of which nothing was replaced.
  public init(_ json: RawJSON) { self.json = json }

  /// Which strings and numbers were replaced, as pointers; `nil` when none.
  public var pointers: [String]? {
    changes.isEmpty ? nil : changes.map { String(decoding: $0.path, as: UTF8.self) }
  }

  /// The texts that were replaced, by where they stand.
  public var texts: [[UInt8]: [UInt8]] {
    Dictionary(changes.map { ($0.path, $0.text) }) { $1 }
  }
}

/// What of a message a payload is.
public enum PayloadPart: String, Sendable {
  /// `params`
  case params
  /// `result`
  case result
  /// `error`
  case error
}
