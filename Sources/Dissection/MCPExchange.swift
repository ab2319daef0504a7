import Basics
import MCP
import Trace
import Wire

/// What the MCP layer knows of one HTTP exchange.
struct MCPExchange {
  /// What the exchange is for.
  enum Role {
    case messages
    case stream
    case delete
    case auth
    case other
  }

  /// A line that waits for the exchange's status and end.
  enum Deferred {
    case notification(NotificationLine)
    case response(ResponseLine)
    case http(HTTPLine)
  }

  var role = Role.other
  /// Messages of the request's body, with what their params say.
  var messages: [(message: JSONRPCMessage, facts: MessageFacts)] = []
  var isBatch = false
  /// The session, once it is decided; the nameless one where there is none.
  var session: SessionState?
  /// True when the request named a session id that was known.
  var namesKnownSession = false
  /// The client's requests in it.
  var requests: [OpenRequest] = []
  var deferred: [Deferred] = []
  /// The server's requests in it that belong to no session, so that nobody can answer them.
  var asked: [OpenRequest] = []
  var isStreamOpen = false
  /// What the stream's request came after.
  var streamPlace: CausalOrder.Place?
  /// True once an event had an id: the client may resume.
  var isResumable = false
  /// True once a line shows the request of this exchange.
  var isShown = false
  /// True once a response line has the response's headers.
  var headersWritten = false

  /// Copies its texts where they are a small part of the buffers that they keep.
  mutating func own() {
    for i in messages.indices {
      messages[i].message.own()
      messages[i].facts.own()
    }
    for i in deferred.indices { deferred[i].own() }
  }

  /// Decides by method, path and body.
  static func of(_ exchange: HTTPExchange) -> MCPExchange {
    var mcp = MCPExchange()
    guard let request = exchange.request else { return mcp }
    if isOAuth(exchange) {
      mcp.role = .auth
      return mcp
    }
    switch request.method {
    case "POST":
      guard exchange.requestBody.isComplete, !exchange.requestBody.isTruncated else { return mcp }
      let payload = JSONRPCPayload(exchange.requestBody.bytes)
      if case .batch = payload { mcp.isBatch = true }
      mcp.messages = payload.messages.map { ($0, MessageFacts($0)) }
      if !mcp.messages.isEmpty { mcp.role = .messages }
    case "GET":
      let accept = request.fields.first("accept")?.lowercased() ?? ""
      if accept.contains("text/event-stream") { mcp.role = .stream }
    case "DELETE":
      if request.fields.first("mcp-session-id") != nil { mcp.role = .delete }
    default: break
    }
    return mcp
  }

  /// OAuth 2.1 as MCP uses it: metadata (RFC 8414, 9728), registration (RFC 7591), authorisation, token.
  private static func isOAuth(_ exchange: HTTPExchange) -> Bool {
    let path = exchange.path
    if path.hasPrefix("/.well-known/") { return true }
    var end = path.utf8[...]
    while end.last == 0x2f { end.removeLast() }
    let last = end[(end.lastIndex(of: 0x2f).map { end.index(after: $0) } ?? end.startIndex)...]
    let names = ["register", "token", "authorize", "revoke"]
    guard names.contains(where: { last.elementsEqual($0.utf8) }) else { return false }
    let type = exchange.requestHeader("content-type")?.lowercased() ?? ""
    return !last.elementsEqual("register".utf8) || type.hasPrefix("application/json")
  }
}

extension MCPExchange.Deferred {
  fileprivate mutating func own() {
    switch self {
    case .notification(var line):
      line.params = line.params?.owned
      self = .notification(line)
    case .response(var line):
      line.result = line.result?.owned
      line.error = line.error?.owned
      self = .response(line)
    case .http: break
    }
  }
}
