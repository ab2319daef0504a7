import Basics
import MCP

/// What makes two requests ask for the same: method and `params`, without `_meta` and without order.
///
/// `_meta` is the envelope (progress token, client info, trace context), not the question. Empty and `null` params count
/// as absent, since client libraries differ there. The params of `initialize` and `server/discover` describe the
/// client only, so all of them ask the same.
struct CallKey: Hashable, Sendable {
  /// Requests that could stand in for each other: the same method, the same tool, both first rounds or both resumed.
  struct Family: Hashable, Sendable {
    let method: String
    let tool: String?
    let resumes: Bool
  }

  let family: Family
  /// Canonical JSON of the params: names sorted, the last of duplicates kept, number tokens unchanged.
  let content: String

  init(method: String, params: RawJSON?) {
    var members = (params?.value.members ?? []).filter { $0.key != "_meta" && !$0.value.isEmpty }
    let tool = method == Method.toolsCall ? members.last { $0.key == "name" }?.value.string : nil
    let resumes = members.contains { $0.key == "inputResponses" || $0.key == "requestState" }
    if method == Method.initialize || method == Method.discover { members = [] }
    family = Family(method: method, tool: tool, resumes: resumes)
    content = JSONValue.object(members).canonical.text
  }

  /// FNV-1a of the content: the same choice in every run, unlike `Hasher`.
  var hash: UInt64 {
    content.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

extension JSONValue {
  /// True for `null`, `{}` and `[]`.
  fileprivate var isEmpty: Bool {
    switch self {
    case .null: true
    case .array(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    case .bool, .number, .string: false
    }
  }

  fileprivate var canonical: JSONValue {
    switch self {
    case .null, .bool, .number, .string: return self
    case .array(let elements): return .array(elements.map(\.canonical))
    case .object(let members):
      var last: [String: JSONValue] = [:]
      for member in members { last[member.key] = member.value }
      return .object(last.sorted { $0.key < $1.key }.map { .init($0.key, $0.value.canonical) })
    }
  }
}
