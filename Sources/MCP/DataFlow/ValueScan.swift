import Basics
import Trace

/// Which parts of requests and answers may hold values that flow from one to the other.
enum ValueScan {
  /// What the protocol itself passes on and back, whatever it looks like.
  enum Token: Int {
    /// `nextCursor`, which comes back as `cursor`.
    case cursor
    /// `taskId`
    case task
    /// `requestState`
    case requestState
  }

  /// A scalar, its path, and what it is to the protocol.
  ///
  /// `words` is as `ScalarWalk` says it.
  typealias Taker = (
    _ text: Span<UInt8>, _ words: Int?, _ path: Span<UInt8>, _ token: Token?
  ) -> Void

  /// The first three are the tokens in their order, the others hold no values.
  private static let paramsNames = JSONNames(
    "cursor", "taskId", "requestState", "_meta", "name", "task")
  /// The first three are the tokens in their order.
  private static let resultNames = JSONNames(
    "nextCursor", "taskId", "requestState", "_meta", "task", "content")
  private static let protocolNames = 3

  /// Walks what a request passes on: its arguments, URI and protocol values; not names, nor metadata.
  static func params(_ params: RawJSON, _ take: Taker) {
    func isWanted(_ name: Int?) -> Bool { name ?? 0 < protocolNames }
    var walk = ScalarWalk()
    walk.walk(params, paramsNames, isWanted: isWanted) {
      name, text, words, path in
      take(text, words, path, name.flatMap(Token.init))
    }
  }

  /// Walks what an answer gives out.
  ///
  /// Of lists of tools and prompts, and of handshakes, only cursors: what they name is the server's code. Where there is
  /// `structuredContent`, texts that say the same are left out.
  static func result(_ result: RawJSON, of method: String, isStructured: Bool, _ take: Taker) {
    let isCatalogue = isCatalogue(method)
    func isWanted(_ name: Int?) -> Bool {
      name != 3 && (!isCatalogue || name ?? protocolNames < protocolNames)
    }
    var walk = ScalarWalk()
    walk.walk(result, resultNames, isWanted: isWanted) { name, text, words, path in
      switch name {
      case 4: take(text, words, path, path.ends(withKey: "taskId") ? .task : nil)
      case 5: if !isStructured || !path.isText { take(text, words, path, nil) }
      default: take(text, words, path, name.flatMap(Token.init))
      }
    }
  }

  private static func isCatalogue(_ method: String) -> Bool {
    switch method {
    case Method.toolsCall: false
    case Method.initialize, Method.discover, Method.toolsList, "prompts/list": true
    default: false
    }
  }

  /// Whether a scalar can be known again.
  static func isWorth(_ text: Span<UInt8>, isString: Bool) -> Bool {
    isString ? ValueWorth.isWorth(text) : ValueWorth.isWorth(number: text)
  }

  /// Whether a header field of an answer may be the server's own: not one of HTTP, of MCP or of a credential.
  static func isOwn(_ name: Span<UInt8>) -> Bool {
    // Most are these, and nothing has to be made to see it.
    guard !name.begins("content-"), !name.begins("mcp-"), !name.begins("access-control-") else {
      return false
    }
    return !common.contains(ByteScan.string(name, 0..<name.count).lowercased())
  }

  private static let common: Set<String> = [
    "accept-ranges", "age", "allow", "alt-svc", "authentication-info", "date", "server",
    "cache-control", "connection", "transfer-encoding", "x-accel-buffering",
    "vary", "keep-alive", "set-cookie", "www-authenticate", "strict-transport-security", "expires",
    "last-modified", "pragma", "via", "trailer", "upgrade",
  ]
}

extension Span<UInt8> {
  /// Whether a name begins with another, compared without case.
  fileprivate func begins(_ start: String) -> Bool {
    let start = start.utf8Span.span
    return count >= start.count && isSameIgnoringCase(extracting(0..<start.count), start)
  }

  /// Whether the last token of the path is that key.
  fileprivate func ends(withKey key: String) -> Bool {
    let key = key.utf8Span.span
    guard count > key.count, self[count - key.count - 1] == 0x2f else { return false }
    return ByteScan.isEqual(extracting(last: key.count), key)
  }

  /// Whether the path is the text of a content block, or leads through it.
  fileprivate var isText: Bool {
    let text = "/text".utf8Span.span
    let mark = ByteScan.firstIndex(of: 0x23, in: self, from: 0) ?? count
    return mark >= text.count && ByteScan.isEqual(extracting(mark - text.count..<mark), text)
  }
}
