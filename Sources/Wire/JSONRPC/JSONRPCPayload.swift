public import Basics
public import NIOCore

/// What a body or event holds, seen as JSON-RPC.
public enum JSONRPCPayload: Hashable, Sendable {
  /// One message.
  case single(JSONRPCMessage)
  /// A batch (2025-03-26), with what of it are messages; `others` counts the elements that are none.
  case batch([JSONRPCMessage], others: Int)
  /// JSON that is no message.
  case otherJSON(RawJSON)
  /// Not JSON in UTF-8.
  case notJSON

  /// Reads a text. O(n): validated, compacted and scanned, no values are built.
  public init(_ text: ByteBuffer) {
    if let message = JSONRPCMessage(validating: text) {
      self = .single(message)
      return
    }
    guard let json = RawJSON(validating: text) else {
      self = .notJSON
      return
    }
    let span = json.bytes.readableSpan
    self = span[0] == 0x5b ? JSONRPCPayload.batch(json, span) : .otherJSON(json)
  }

  private static func batch(_ json: RawJSON, _ span: Span<UInt8>) -> JSONRPCPayload {
    var messages: [JSONRPCMessage] = []
    var others = 0
    var i = 1
    while i < span.count, span[i] != 0x5d, let end = JSONScan.skipValue(span, i) {
      if let message = JSONRPCMessage(validating: json.slice(i, end).bytes) {
        messages.append(message)
      } else {
        others += 1
      }
      i = end < span.count && span[end] == 0x2c ? end + 1 : end
    }
    return messages.isEmpty ? .otherJSON(json) : .batch(messages, others: others)
  }

  /// Copies its texts where they are a small part of the buffers that they keep.
  public mutating func own() {
    switch self {
    case .single(var message):
      message.own()
      self = .single(message)
    case .batch(var messages, let others):
      for i in messages.indices { messages[i].own() }
      self = .batch(messages, others: others)
    case .otherJSON(let json): self = .otherJSON(json.owned)
    case .notJSON: break
    }
  }

  /// Whether there is a message.
  public var hasMessages: Bool {
    switch self {
    case .single: true
    case .batch(let messages, _): !messages.isEmpty
    case .otherJSON, .notJSON: false
    }
  }

  /// The first message.
  public var first: JSONRPCMessage? {
    switch self {
    case .single(let message): message
    case .batch(let messages, _): messages.first
    case .otherJSON, .notJSON: nil
    }
  }

  /// The messages, in order.
  public var messages: [JSONRPCMessage] {
    switch self {
    case .single(let message): [message]
    case .batch(let messages, _): messages
    case .otherJSON, .notJSON: []
    }
  }
}
