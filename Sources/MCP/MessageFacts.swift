public import Basics
public import Trace
public import Wire

/// What a request's or notification's `params` say that matters for pairing, identity and order.
///
/// One pass over the top-level members; arguments are not looked at.
public struct MessageFacts: Sendable {
  /// `params.name` of a `tools/call`.
  public fileprivate(set) var tool: String?
  /// `params.cursor`.
  public fileprivate(set) var cursor: String?
  /// `params.requestState` (2026-07-28): resumes an `input_required` answer.
  public fileprivate(set) var requestState: String?
  /// `params.taskId`.
  public fileprivate(set) var taskID: String?
  /// `params.requestId` of `notifications/cancelled`, the token.
  public fileprivate(set) var cancels: RawJSON?
  /// Progress token: of `_meta` in a request, of the params in `notifications/progress`.
  public fileprivate(set) var progressToken: RawJSON?
  /// `protocolVersion` of `initialize` or of `_meta`.
  public fileprivate(set) var revision: Revision?
  /// `clientInfo` of `initialize` or of `_meta`.
  public fileprivate(set) var client: Implementation?
  /// `traceparent` of `_meta` (W3C Trace Context).
  public fileprivate(set) var traceparent: String?
}

extension MessageFacts {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Looks into a message; empty for answers.
  public init(_ message: JSONRPCMessage) {
    var tool: String?
    var cursor: String?
    var requestState: String?
    var taskID: String?
    var cancels: RawJSON?
    var token: RawJSON?
    var revision: Revision?
    var client: Implementation?
    var traceparent: String?
    if message.kind == .request || message.kind == .notification {
      message.forEachMember { member, value in
        switch member {
        case .name: if message.method == Method.toolsCall { tool = value.string }
        case .cursor: cursor = value.string
        case .requestState: requestState = value.string
        case .taskId: taskID = value.string
        case .requestId: cancels = value
        case .progressToken: token = value
        case .protocolVersion: revision = value.string.map(Revision.init)
        case .clientInfo: client = Implementation(json: value)
        case .meta:
          value.forEachMember(MessageFacts.metaNames) { name, value in
            switch name {
            case 0: token = value
            case 1: revision = value.string.map(Revision.init)
            case 2: client = Implementation(json: value)
            default: traceparent = value.string
            }
          }
        case .isError, .nextCursor, .serverInfo, .supportedVersions, .tools, .structuredContent,
          .task:
          break
        }
      }
    }
    self.init(
      tool: tool, cursor: cursor, requestState: requestState, taskID: taskID, cancels: cancels,
      progressToken: token, revision: revision, client: client, traceparent: traceparent)
  }

  /// The progress token alone.
  public static func progressToken(of message: JSONRPCMessage) -> RawJSON? {
    guard message.kind == .request || message.kind == .notification else { return nil }
    var token: RawJSON?
    message.forEachMember { member, value in
      switch member {
      case .progressToken: token = value
      case .meta: value.forEachMember(metaNames) { name, value in if name == 0 { token = value } }
      default: break
      }
    }
    return token
  }

  /// Copies its texts where they are a small part of the buffer that they keep.
  public mutating func own() {
    cancels = cancels?.owned
    progressToken = progressToken?.owned
  }

  private static let metaNames = JSONNames(
    "progressToken", "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientInfo", "traceparent")
}

/// What a result says that matters for pairing, outcome and order.
public struct ResultFacts: Sendable {
  /// `isError`.
  public fileprivate(set) var isError = false
  /// `nextCursor`.
  public fileprivate(set) var nextCursor: String?
  /// `requestState` of an `input_required` answer.
  public fileprivate(set) var requestState: String?
  /// Id of the task that a call became: `task.taskId` (2025-11-25), or `taskId` (the extension of 2026-07-28).
  public fileprivate(set) var taskID: String?
  /// `protocolVersion` of an `initialize` answer.
  public fileprivate(set) var revision: Revision?
  /// `serverInfo`, of the result or its `_meta`.
  public fileprivate(set) var server: Implementation?
  /// True for a `server/discover` answer that offers a revision without sessions: the client goes on without `initialize`.
  public fileprivate(set) var offersStateless = false
  /// Names in `tools` of a `tools/list` answer.
  public fileprivate(set) var toolNames: [String] = []
}

extension ResultFacts {
  /// Looks into the result of a message; empty for others.
  public init(_ message: JSONRPCMessage) {
    var isError = false
    var nextCursor: String?
    var requestState: String?
    var taskID: String?
    var revision: Revision?
    var server: Implementation?
    var offersStateless = false
    var toolNames: [String] = []
    if message.kind == .result {
      message.forEachMember { member, value in
        switch member {
        case .isError: isError = value.isTrue
        case .nextCursor: nextCursor = value.string
        case .requestState: requestState = value.string
        case .taskId: taskID = value.string
        case .task: taskID = value.member("taskId")?.string
        case .protocolVersion: revision = value.string.map(Revision.init)
        case .serverInfo: server = Implementation(json: value)
        case .supportedVersions:
          offersStateless = (value.value.array ?? []).contains {
            Revision($0.string ?? "").isStateless
          }
        case .tools: toolNames = (value.value.array ?? []).compactMap { $0["name"]?.string }
        case .meta:
          if let info = value.member("io.modelcontextprotocol/serverInfo") {
            server = Implementation(json: info)
          }
        case .name, .cursor, .requestId, .progressToken, .clientInfo, .structuredContent:
          break
        }
      }
    }
    self.init(
      isError: isError, nextCursor: nextCursor, requestState: requestState, taskID: taskID,
      revision: revision, server: server, offersStateless: offersStateless, toolNames: toolNames)
  }
}

extension Implementation {
  /// Reads `clientInfo` or `serverInfo`; `nil` without a name.
  init?(json: RawJSON) {
    guard let name = json.member("name")?.string else { return nil }
    self.init(name: name, version: json.member("version")?.string ?? "")
  }
}
