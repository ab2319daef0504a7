public import Basics

/// What a request line and its header section say (RFC 9112 §3, §5).
public struct HTTPRequestHead: Hashable, Sendable {
  /// Method as sent.
  public var method: String
  /// Request target as sent.
  public var target: String
  /// Header fields in wire order.
  public var fields: HeaderFields
  /// Capture time of the first byte.
  public var firstByteAt: Timestamp
  /// Latest capture time of the head's bytes.
  public var endAt: Timestamp
  /// True when the recording has only its beginning: fields may be missing.
  public var isCut = false
}

extension HTTPRequestHead {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Creates a head.
  public init(
    method: String, target: String, fields: HeaderFields, firstByteAt: Timestamp, endAt: Timestamp
  ) {
    self.init(
      method: method, target: target, fields: fields, firstByteAt: firstByteAt, endAt: endAt,
      isCut: false)
  }
}

/// What a status line and its header section say (RFC 9112 §4, §5).
public struct HTTPResponseHead: Hashable, Sendable {
  /// Status code, 100 to 999.
  public var status: Int
  /// Header fields in wire order.
  public var fields: HeaderFields
  /// Capture time of the first byte.
  public var firstByteAt: Timestamp
  /// Latest capture time of the head's bytes.
  public var endAt: Timestamp
  /// True when the recording has only its beginning: fields may be missing.
  public var isCut = false
}

extension HTTPResponseHead {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Creates a head.
  public init(status: Int, fields: HeaderFields, firstByteAt: Timestamp, endAt: Timestamp) {
    self.init(
      status: status, fields: fields, firstByteAt: firstByteAt, endAt: endAt, isCut: false)
  }

  /// True for 1xx answers that precede the final one (101 ends HTTP instead).
  public var isInterim: Bool { status >= 100 && status < 200 && status != 101 }
}
