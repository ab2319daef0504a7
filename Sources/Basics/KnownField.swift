/// Names of header fields that are looked for in every message, in lower case.
public enum KnownField: String, CaseIterable, Sendable {
  case accept
  case authorization
  case connection
  case contentEncoding = "content-encoding"
  case contentLength = "content-length"
  case contentType = "content-type"
  case cookie
  case host
  case lastEventID = "last-event-id"
  case mcpProtocolVersion = "mcp-protocol-version"
  case mcpSessionID = "mcp-session-id"
  case transferEncoding = "transfer-encoding"
  case traceparent
  case upgrade
  case plainAPIKey = "api-key"
  case apiKey = "x-api-key"

  /// Finds a name, compared without case (RFC 9110 §5.1).
  init?(name: Span<UInt8>) {
    let (one, other): (KnownField, KnownField?)
    switch name.count {
    case 4: (one, other) = (.host, nil)
    case 6: (one, other) = (.accept, .cookie)
    case 7: (one, other) = (.upgrade, .plainAPIKey)
    case 9: (one, other) = (.apiKey, nil)
    case 10: (one, other) = (.connection, nil)
    case 11: (one, other) = (.traceparent, nil)
    case 12: (one, other) = (.contentType, nil)
    case 13: (one, other) = (.authorization, .lastEventID)
    case 14: (one, other) = (.contentLength, .mcpSessionID)
    case 16: (one, other) = (.contentEncoding, nil)
    case 17: (one, other) = (.transferEncoding, nil)
    case 20: (one, other) = (.mcpProtocolVersion, nil)
    default: return nil
    }
    if isSameIgnoringCase(name, one.rawValue.utf8Span.span) {
      self = one
    } else if let other, isSameIgnoringCase(name, other.rawValue.utf8Span.span) {
      self = other
    } else {
      return nil
    }
  }

  private var number: Int {
    switch self {
    case .accept: 0
    case .authorization: 1
    case .connection: 2
    case .contentEncoding: 3
    case .contentLength: 4
    case .contentType: 5
    case .cookie: 6
    case .host: 7
    case .lastEventID: 8
    case .mcpProtocolVersion: 9
    case .mcpSessionID: 10
    case .transferEncoding: 11
    case .upgrade: 12
    case .apiKey: 13
    case .plainAPIKey: 14
    case .traceparent: 15
    }
  }

  /// Where each of them stands first in a list of fields.
  struct Indices: Sendable {
    private var first: [16 of UInt32] = .init(repeating: .max)

    subscript(_ field: KnownField) -> Int? {
      let i = first[field.number]
      return i == .max ? nil : Int(i)
    }

    /// Notes that field `i` of the list has this name, if none before has.
    mutating func note(_ field: KnownField, _ i: Int) {
      guard first[field.number] == .max, let i = UInt32(exactly: i) else { return }
      first[field.number] = i
    }
  }
}
