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

  /// Creates a head.
  public init(
    method: String, target: String, fields: HeaderFields, firstByteAt: Timestamp, endAt: Timestamp
  ) {
    self.method = method
    self.target = target
    self.fields = fields
    self.firstByteAt = firstByteAt
    self.endAt = endAt
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

  /// Creates a head.
  public init(status: Int, fields: HeaderFields, firstByteAt: Timestamp, endAt: Timestamp) {
    self.status = status
    self.fields = fields
    self.firstByteAt = firstByteAt
    self.endAt = endAt
  }

  /// True for 1xx answers that precede the final one (101 ends HTTP instead).
  public var isInterim: Bool { status >= 100 && status < 200 && status != 101 }
}
