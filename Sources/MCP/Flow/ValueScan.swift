import Basics
import Trace

/// Which parts of requests and answers may hold values that flow from one to the other.
enum ValueScan {
  /// A scalar, its path, and whether the protocol itself passes it on.
  typealias Taker = (
    _ text: Span<UInt8>, _ isString: Bool, _ path: [UInt8], _ isProtocol: Bool
  ) -> Void

  /// Walks what a request passes on: its arguments, URI and protocol values; not names, nor metadata.
  static func params(_ params: RawJSON, of method: String, _ take: Taker) {
    params.forEachMember { key, value in
      let isProtocol = key == "cursor" || key == "taskId" || key == "requestState"
      guard key != "_meta", key != "name", key != "task", !value.kind.isLiteral else { return }
      var walk = ScalarWalk(under: key)
      walk.walk(value) { text, isString, path in take(text, isString, path, isProtocol) }
    }
  }

  /// Walks what an answer gives out.
  ///
  /// Of lists of tools and prompts, and of handshakes, only cursors: what they name is the server's code. Where there is
  /// `structuredContent`, texts that say the same are left out.
  static func result(_ result: RawJSON, of method: String, _ take: Taker) {
    var members: [(key: String, value: RawJSON)] = []
    members.reserveCapacity(8)
    result.forEachMember { members.append(($0, $1)) }
    let isStructured = members.contains { $0.key == "structuredContent" }
    let isCatalogue = catalogues.contains(method)
    for (key, value) in members where key != "_meta" && !value.kind.isLiteral {
      let isProtocol = key == "nextCursor" || key == "taskId" || key == "requestState"
      guard isProtocol || !isCatalogue else { continue }
      var walk = ScalarWalk(under: key)
      if key == "task" {
        walk.walk(value) { text, isString, path in
          take(text, isString, path, path.ends(withKey: "taskId"))
        }
      } else if key == "content", isStructured {
        walk.walk(value) { text, isString, path in
          if !path.isText { take(text, isString, path, false) }
        }
      } else {
        walk.walk(value) { text, isString, path in take(text, isString, path, isProtocol) }
      }
    }
  }

  private static let catalogues: Set<String> = [
    Method.initialize, Method.discover, Method.toolsList, "prompts/list",
  ]

  /// Whether a scalar can be known again.
  static func isWorth(_ text: Span<UInt8>, isString: Bool) -> Bool {
    isString ? ValueWorth.isWorth(text) : ValueWorth.isWorth(number: text)
  }

  /// Whether a header field of an answer may be the server's own: not one of HTTP, of MCP or of a credential. In lower case.
  static func isOwn(_ name: String) -> Bool {
    !common.contains(name) && !name.hasPrefix("access-control-")
      && !name.hasPrefix("mcp-") && !name.hasPrefix("content-")
  }

  private static let common: Set<String> = [
    "accept-ranges", "age", "allow", "alt-svc", "authentication-info", "date", "server",
    "cache-control", "connection", "transfer-encoding", "x-accel-buffering",
    "vary", "keep-alive", "set-cookie", "www-authenticate", "strict-transport-security", "expires",
    "last-modified", "pragma", "via", "trailer", "upgrade",
  ]
}

extension [UInt8] {
  /// Whether the last token of the path is that key.
  fileprivate func ends(withKey key: String) -> Bool {
    let key = key.utf8
    return count > key.count && self[count - key.count - 1] == 0x2f
      && suffix(key.count).elementsEqual(key)
  }

  /// Whether the path is the text of a content block, or leads through it.
  fileprivate var isText: Bool {
    let text = "/text".utf8
    guard let mark = firstIndex(of: 0x23) ?? Optional(count), mark >= text.count else {
      return false
    }
    return self[mark - text.count..<mark].elementsEqual(text)
  }
}

extension RawJSON.Kind {
  /// `null`, `true` and `false`: there is nothing in them.
  fileprivate var isLiteral: Bool { self == .null || self == .bool }
}
