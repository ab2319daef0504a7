/// The proxy cannot do its work at all; single connections that fail are a `ProxyNotice` instead.
public struct ProxyError: Error, Hashable, Sendable {
  /// What could not be done, as a verb phrase: `listen`.
  public let what: String
  /// The address it concerns, as the user wrote it: `127.0.0.1:8080`.
  public let `where`: String
  /// The system's reason.
  public let cause: String

  init(what: String, where place: String, cause: String) {
    self.what = what
    self.where = place
    self.cause = cause
  }
}

extension ProxyError: CustomStringConvertible {
  /// One sentence: `cannot listen on 127.0.0.1:8080: …`.
  public var description: String { "cannot \(what) \(`where`): \(cause)" }
}
