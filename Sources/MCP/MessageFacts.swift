public import Basics
public import Trace
public import Wire

/// What a request's or notification's `params` say that matters for pairing, identity and order.
///
/// One pass over the top-level members; arguments are not looked at.
public struct MessageFacts: Sendable {
  /// `params.name` of a `tools/call`.
  public private(set) var tool: String?
  /// `params.cursor`.
  public private(set) var cursor: String?
  /// `params.requestState` (2026-07-28): resumes an `input_required` answer.
  public private(set) var requestState: String?
  /// `params.taskId`.
  public private(set) var taskID: String?
  /// `params.requestId` of `notifications/cancelled`, the token.
  public private(set) var cancels: RawJSON?
  /// Progress token: of `_meta` in a request, of the params in `notifications/progress`.
  public private(set) var progressToken: RawJSON?
  /// `protocolVersion` of `initialize` or of `_meta`.
  public private(set) var revision: Revision?
  /// `clientInfo` of `initialize` or of `_meta`.
  public private(set) var client: Implementation?

  /// Looks into a message; empty for answers.
  public init(_ message: JSONRPCMessage) {
    guard message.kind == .request || message.kind == .notification, let params = message.content
    else { return }
    params.forEachMember(MessageFacts.names) { name, value in
      switch name {
      case 0: if message.method == Method.toolsCall { tool = value.string }
      case 1: cursor = value.string
      case 2: requestState = value.string
      case 3: taskID = value.string
      case 4: cancels = value
      case 5: progressToken = value
      case 6: revision = value.string.map(Revision.init)
      case 7: client = Implementation(json: value)
      default: readMeta(value)
      }
    }
  }

  /// Copies its texts where they are a small part of the buffer that they keep.
  public mutating func own() {
    cancels = cancels?.owned
    progressToken = progressToken?.owned
  }

  private static let names = JSONNames(
    "name", "cursor", "requestState", "taskId", "requestId", "progressToken", "protocolVersion",
    "clientInfo", "_meta")
  private static let metaNames = JSONNames(
    "progressToken", "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientInfo")

  private mutating func readMeta(_ meta: RawJSON) {
    meta.forEachMember(MessageFacts.metaNames) { name, value in
      switch name {
      case 0: progressToken = value
      case 1: revision = value.string.map(Revision.init)
      default: client = Implementation(json: value)
      }
    }
  }
}

/// What a result says that matters for pairing, outcome and order.
public struct ResultFacts: Sendable {
  /// `isError`.
  public private(set) var isError = false
  /// `nextCursor`.
  public private(set) var nextCursor: String?
  /// `requestState` of an `input_required` answer.
  public private(set) var requestState: String?
  /// `protocolVersion` of an `initialize` answer.
  public private(set) var revision: Revision?
  /// `serverInfo`, of the result or its `_meta`.
  public private(set) var server: Implementation?
  /// True for a `server/discover` answer that offers a revision without sessions: the client goes on without `initialize`.
  public private(set) var offersStateless = false
  /// Names in `tools` of a `tools/list` answer.
  public private(set) var toolNames: [String] = []

  /// Looks into a result. O(n) over its text.
  public init(_ result: RawJSON) {
    result.forEachMember(ResultFacts.names) { name, value in
      switch name {
      case 0: isError = value.text == "true"
      case 1: nextCursor = value.string
      case 2: requestState = value.string
      case 3: revision = value.string.map(Revision.init)
      case 4: server = Implementation(json: value)
      case 5:
        offersStateless = (value.value.array ?? []).contains {
          Revision($0.string ?? "").isStateless
        }
      case 6: toolNames = (value.value.array ?? []).compactMap { $0["name"]?.string }
      default:
        if let info = value.member("io.modelcontextprotocol/serverInfo") {
          server = Implementation(json: info)
        }
      }
    }
  }

  private static let names = JSONNames(
    "isError", "nextCursor", "requestState", "protocolVersion", "serverInfo", "supportedVersions",
    "tools", "_meta")
}

extension Implementation {
  /// Reads `clientInfo` or `serverInfo`; `nil` without a name.
  init?(json: RawJSON) {
    guard let name = json.member("name")?.string else { return nil }
    self.init(name: name, version: json.member("version")?.string ?? "")
  }
}
