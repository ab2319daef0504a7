import Basics

/// What an SSE stream carries besides messages.
public struct SSELine: Hashable, Sendable {
  /// What it is.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// A comment, usually a keep-alive.
    case comment
    /// An event with an id and empty data, from which a client may resume.
    case priming
    /// A `retry:` of its own.
    case retry
  }

  /// The HTTP exchange.
  public var x: Int
  /// When it was complete.
  public var t: Int64
  /// What it is.
  public var kind: Kind
  /// Event id.
  public var id: String?
  /// Reconnection time, milliseconds.
  public var retry: Int?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates an sse line.
  public init(x: Int, t: Int64, kind: Kind) {
    self.x = x
    self.t = t
    self.kind = kind
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    x = try fields.int("x")
    t = try fields.int64("t")
    kind = try fields.required("kind")
    id = try fields.optionalString("id")
    retry = try fields.optionalInt("retry")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("x", x)
    object.member("t", t)
    object.member("kind", kind.rawValue)
    object.member("id", id)
    object.member("retry", retry)
    object.extra(extra)
  }
}
