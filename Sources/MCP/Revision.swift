/// A dated protocol revision, `2025-11-25`.
public struct Revision: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The date as on the wire.
  public let description: String

  /// Wraps a date as on the wire; unknown ones are kept.
  public init(_ date: String) { description = date }

  /// The first revision without handshake, session id and server requests.
  public static let stateless = Revision("2026-07-28")

  /// True from 2026-07-28 on: no `initialize`, no session id, metadata in each request.
  public var isStateless: Bool { self >= Revision.stateless }

  /// Orders revisions by date (ISO dates order as text).
  public static func < (a: Revision, b: Revision) -> Bool { a.description < b.description }
}
