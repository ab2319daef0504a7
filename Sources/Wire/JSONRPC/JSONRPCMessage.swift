public import Basics
public import NIOCore

/// One JSON-RPC 2.0 message: its envelope, with the parts it frames kept as text.
public struct JSONRPCMessage: Hashable, Sendable {
  /// What a message is.
  public enum Kind: Hashable, Sendable {
    /// Has a method and an id.
    case request
    /// Has a method and no id (or `null`, which SDK servers take as none).
    case notification
    /// Has a result.
    case result
    /// Has an error.
    case error
  }

  /// What it is.
  public var kind: Kind
  /// The id token, unchanged; `1` and `"1"` differ. `nil` when absent.
  public var id: RawJSON?
  /// The method, empty for answers.
  public var method: String
  /// The `params`, `result` or `error` value, by kind.
  public var content: RawJSON?
  /// Size of the message as it was sent.
  public var bytes: Int

  /// Creates a message.
  public init(kind: Kind, id: RawJSON?, method: String, content: RawJSON?, bytes: Int) {
    self.kind = kind
    self.id = id
    self.method = method
    self.content = content
    self.bytes = bytes
  }
}

/// What a body or event holds, seen as JSON-RPC.
public enum JSONRPCPayload: Hashable, Sendable {
  /// One message.
  case single(JSONRPCMessage)
  /// A batch (2025-03-26), with what of it are messages.
  case batch([JSONRPCMessage])
  /// JSON that is no message.
  case otherJSON(RawJSON)
  /// Not JSON in UTF-8.
  case notJSON

  /// Reads a text. O(n): validated, compacted and scanned, no values are built.
  public init(_ text: ByteBuffer) {
    guard let json = RawJSON(validating: text) else {
      self = .notJSON
      return
    }
    let span = json.bytes.readableBytesUInt8Span
    if span[0] == 0x5b {
      self = JSONRPCPayload.batch(json, span)
    } else if let message = JSONRPCMessage(envelope: json, bytes: text.readableBytes) {
      self = .single(message)
    } else {
      self = .otherJSON(json)
    }
  }

  private static func batch(_ json: RawJSON, _ span: Span<UInt8>) -> JSONRPCPayload {
    var messages: [JSONRPCMessage] = []
    var i = 1
    while i < span.count, span[i] != 0x5d, let end = JSONScan.skipValue(span, i) {
      let element = json.slice(i, end)
      if let message = JSONRPCMessage(envelope: element, bytes: end - i) {
        messages.append(message)
      }
      i = end < span.count && span[end] == 0x2c ? end + 1 : end
    }
    return messages.isEmpty ? .otherJSON(json) : .batch(messages)
  }

  /// The messages, in order.
  public var messages: [JSONRPCMessage] {
    switch self {
    case .single(let message): [message]
    case .batch(let messages): messages
    case .otherJSON, .notJSON: []
    }
  }
}

extension JSONRPCMessage {
  /// Reads the top-level members of a compact object; the last of duplicate keys wins. `nil` when it is no message.
  init?(envelope json: RawJSON, bytes: Int) {
    var id: RawJSON?
    var method: String?
    var params: RawJSON?
    var result: RawJSON?
    var error: RawJSON?
    json.forEachMember { key, value in
      switch key {
      case "id": id = value
      case "method": method = value.value.string
      case "params": params = value
      case "result": result = value
      case "error": error = value
      default: break
      }
    }
    if let method {
      let isNull = id?.text == "null"
      self.init(
        kind: id == nil || isNull ? .notification : .request, id: isNull ? nil : id,
        method: method, content: params, bytes: bytes)
    } else if let result {
      self.init(kind: .result, id: id, method: "", content: result, bytes: bytes)
    } else if let error, error.member("code") != nil {
      // OAuth's error bodies have an `error` too, a string.
      self.init(kind: .error, id: id, method: "", content: error, bytes: bytes)
    } else {
      return nil
    }
  }
}
