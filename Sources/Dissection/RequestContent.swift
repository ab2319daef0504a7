import Basics
import MCP
import NIOCore
import Wire

/// What a request is for, and the messages in it.
struct RequestContent: Sendable {
  /// What an exchange is for.
  enum Role: Sendable {
    case messages
    case stream
    case delete
    case auth
    case other
  }

  /// A message of the body, with what its params say. Shared, not copied, by all that look at it.
  final class Item: Sendable {
    let message: JSONRPCMessage
    let facts: MessageFacts
    /// What of it is a surrogate, where a trace is told anew.
    let redacted: [String]?

    init(_ message: JSONRPCMessage, _ facts: MessageFacts, redacted: [String]? = nil) {
      self.message = message
      self.facts = facts
      self.redacted = redacted
    }

    convenience init(_ message: JSONRPCMessage) { self.init(message, MessageFacts(message)) }

    /// The same, with texts copied where they are a small part of the buffers that they keep.
    var owned: Item {
      var (message, facts) = (message, facts)
      message.own()
      facts.own()
      return Item(message, facts, redacted: redacted)
    }
  }

  var role = Role.other
  /// Messages of the request's body.
  var messages = MessageList()
  var isBatch = false
  /// Elements of the batch that are no messages.
  var others = 0

  /// Nothing known.
  init() {}

  /// Copies its texts where they are a small part of the buffers that they keep.
  mutating func own() {
    messages = MessageList(messages.map(\.owned))
  }

  /// The messages of a line.
  init(_ payload: JSONRPCPayload) {
    role = .messages
    take(payload)
  }

  private mutating func take(_ payload: JSONRPCPayload) {
    switch payload {
    case .single(let message): messages = MessageList(Item(message))
    case .batch(let all, let others):
      messages = MessageList(all.map { Item($0) })
      isBatch = true
      self.others = others
    case .otherJSON, .notJSON: break
    }
  }

  /// What a request is for, with the messages of its body as far as they were read.
  init(_ role: Role, _ payload: JSONRPCPayload?) {
    self.role = role
    if let payload { take(payload) }
  }

  /// Decides what a request is for by method, path and body (`nil` where something of it is missing); reads the body where it has
  /// messages.
  static func read(
    _ request: HTTPRequestHead, _ body: ByteBuffer?
  ) -> (role: Role, payload: JSONRPCPayload?) {
    if isOAuth(request) { return (.auth, nil) }
    switch request.method {
    case "POST":
      guard let body else { break }
      let payload = JSONRPCPayload(body)
      if payload.hasMessages { return (.messages, payload) }
    case "GET":
      let accept = request.fields.first(.accept)?.lowercased() ?? ""
      if accept.contains("text/event-stream") { return (.stream, nil) }
    case "DELETE":
      if request.fields.has(.mcpSessionID) { return (.delete, nil) }
    default: break
    }
    return (.other, nil)
  }

  /// OAuth 2.1 as MCP uses it: metadata (RFC 8414, 9728), registration (RFC 7591), authorisation, token.
  private static func isOAuth(_ request: HTTPRequestHead) -> Bool {
    let target = request.target.utf8Span.span
    var length = 0
    while length < target.count, target[length] != 0x3f, target[length] != 0x23 { length += 1 }
    let path = target.extracting(0..<length)
    let wellKnown = "/.well-known/".utf8Span.span
    if path.count >= wellKnown.count,
      ByteScan.isEqual(path.extracting(0..<wellKnown.count), wellKnown)
    {
      return true
    }
    var end = path.count
    while end > 0, path[end - 1] == 0x2f { end -= 1 }
    var start = end
    while start > 0, path[start - 1] != 0x2f { start -= 1 }
    let last = path.extracting(start..<end)
    guard (5...9).contains(last.count) else { return false }
    let isRegistration = ByteScan.isEqual(last, "register".utf8Span.span)
    guard
      isRegistration || ByteScan.isEqual(last, "token".utf8Span.span)
        || ByteScan.isEqual(last, "authorize".utf8Span.span)
        || ByteScan.isEqual(last, "revoke".utf8Span.span)
    else { return false }
    return !isRegistration || request.fields.begins(.contentType, with: "application/json")
  }
}

extension HTTPRequestHead {
  /// The target without its query and fragment.
  var path: Substring {
    target[..<(target.utf8.firstIndex { $0 == 0x3f || $0 == 0x23 } ?? target.endIndex)]
  }
}
