import Basics
import MCP
import Trace

/// Answers that no recording gave: the least that a client takes for valid.
struct OwnAnswers {
  /// 2026-07-28 and later: each result says its type, lists and discovery say how long they hold.
  let isModern: Bool

  private func result(_ members: JSONValue.Member...) -> RawJSON {
    let type = JSONValue.Member("resultType", .string("complete"))
    return RawJSON(.object(isModern ? [type] + members : members))
  }

  private func cacheable(_ member: JSONValue.Member...) -> RawJSON {
    let policy: [JSONValue.Member] = [
      .init("resultType", .string("complete")), .init("ttlMs", .int(0)),
      .init("cacheScope", .string("private")),
    ]
    return RawJSON(.object(isModern ? policy + member : member))
  }

  /// The result of a method whose payload was not kept.
  func placeholder(for method: String, isError: Bool) -> RawJSON {
    switch method {
    case Method.toolsCall:
      let content = JSONValue.Member("content", .array([]))
      return isError ? result(content, .init("isError", .bool(true))) : result(content)
    case Method.toolsList: return tools([])
    case Method.discover: return discovery
    default: return result()
    }
  }

  /// The result of a tool that failed.
  func toolError(_ text: String) -> RawJSON {
    let content = JSONValue.object([.init("type", .string("text")), .init("text", .string(text))])
    return result(.init("content", .array([content])), .init("isError", .bool(true)))
  }

  /// A list of tools of which only the names are known.
  func tools(_ names: [String]) -> RawJSON {
    let schema = JSONValue.object([.init("type", .string("object"))])
    let list = names.map {
      JSONValue.object([.init("name", .string($0)), .init("inputSchema", schema)])
    }
    return cacheable(.init("tools", .array(list)))
  }

  /// What a 2026-07-28 server says of itself.
  var discovery: RawJSON {
    cacheable(
      .init("supportedVersions", .array([.string(Revision.stateless.description)])),
      .init("capabilities", OwnAnswers.capabilities))
  }

  /// An `initialize` result for a session whose beginning was not recorded.
  static func handshake(of session: RecordedSession) -> RawJSON {
    RawJSON(
      .object([
        .init("protocolVersion", .string(session.revision ?? "2025-11-25")),
        .init("capabilities", capabilities),
        .init(
          "serverInfo",
          .object([
            .init("name", .string(session.server?.name ?? "recorded server")),
            .init("version", .string(session.server?.version ?? "")),
          ])),
      ]))
  }

  private static let capabilities = JSONValue.object([.init("tools", .object([]))])

  /// A JSON-RPC error object.
  static func error(_ code: Int64, _ message: String) -> RawJSON {
    RawJSON(.object([.init("code", .int(code)), .init("message", .string(message))]))
  }
}
