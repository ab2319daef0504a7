public import Basics
public import Redaction
public import Trace
public import Wire

/// What a dissection keeps and how it infers.
public struct DissectionOptions: Sendable {
  /// Write an `exchange` line for every HTTP exchange.
  public var exchanges = false
  /// Replaces credentials; `nil` keeps them (`--no-redact`).
  public var redactor: Redactor?
  /// What of payloads is replaced.
  public var rules: [RedactionRule] = []
  /// Requests of a turn within this many nanoseconds of its first are siblings.
  public var siblingGap: Int64 = 20_000_000
  /// A session silent for this many nanoseconds, and without an open stream, ends as `idle`.
  public var sessionIdle: Int64 = 30 * 60 * 1_000_000_000
  /// What tells agents apart that name no session, instead of an inference from all that is known.
  public var sessionKey: SessionKey.By?
  /// What of params, results and errors is kept.
  public var payloads = HeaderLine.Payloads.full
  /// Name of the loss that a gap in a flow stands for: packets missing from a capture, or a recorder that could not keep up.
  public var gapKind = "tcp.gap"
  /// Bytes of a body that are kept; the rest is counted and hashed.
  public var bodyLimit = 16 << 20
  /// Secrets of the TLS connections; without it their contents are only counted.
  public var keyLog: TLSKeyLog?

  /// Makes surrogates where credentials are kept.
  private let ownKey = RedactionKey.random()

  /// What is done to payloads; `nil` when they stay as they are.
  var payloadRules: PayloadRules? {
    guard !rules.isEmpty || payloads != .full else { return nil }
    var all = PayloadRules(
      key: redactor?.key ?? ownKey, rules: rules, isShape: payloads != .full)
    all.hidesCredentials = redactor != nil
    return all
  }

  /// The trace header's `redaction` value.
  public var redaction: JSONValue {
    Redactor.description(credentials: redactor?.key, payloads: payloadRules)
  }

  /// Creates the defaults, which redact with a key of their own.
  public init(redactor: Redactor? = Redactor(key: .random())) { self.redactor = redactor }
}
