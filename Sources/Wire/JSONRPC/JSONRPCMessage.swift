public import Basics
import NIOCore

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
  /// Where members of the content lie, when they were found on the way.
  private var found: FoundMembers?
}

extension JSONRPCMessage {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Creates a message.
  public init(kind: Kind, id: RawJSON?, method: String, content: RawJSON?, bytes: Int) {
    self.init(kind: kind, id: id, method: method, content: content, bytes: bytes, found: nil)
  }

  /// Copies its texts where they are a small part of the buffer that they keep.
  public mutating func own() {
    id = id?.owned
    content = content?.owned
  }
}

extension JSONRPCMessage {
  /// Whether both say the same; how their members were found is no part of it.
  public static func == (a: JSONRPCMessage, b: JSONRPCMessage) -> Bool {
    a.kind == b.kind && a.id == b.id && a.method == b.method && a.content == b.content
      && a.bytes == b.bytes
  }

  /// Hashes what is said.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(id)
    hasher.combine(method)
    hasher.combine(content)
    hasher.combine(bytes)
  }

  /// Members of `params` and `result` that say more than their method's own.
  public enum Member: Int, CaseIterable, Sendable {
    case name, cursor, requestState, taskId, requestId, progressToken, protocolVersion, clientInfo
    case meta, isError, nextCursor, serverInfo, supportedVersions, tools
    case structuredContent, task
  }

  private static let memberNames = JSONNames(
    Member.allCases.map { $0 == .meta ? "_meta" : "\($0)" })

  /// Calls `body` for each of these members that the content has, in order. O(1) for what was read from text without white
  /// space and has few of them, else O(n) over the content.
  public func forEachMember(_ body: (_ member: Member, _ value: RawJSON) -> Void) {
    guard let content else { return }
    func tell(_ index: Int, _ value: RawJSON) {
      if let member = Member(rawValue: index) { body(member, value) }
    }
    if let found {
      found.forEach(in: content, tell)
    } else {
      content.forEachMember(JSONRPCMessage.memberNames, tell)
    }
  }

  /// The `_meta` of `params` or of a result. O(1) for what was read from text without white space and has few members that are
  /// looked for, else O(n) over the content.
  public var meta: RawJSON? {
    guard kind != .error, let content else { return nil }
    if let found { return found.value(Member.meta.rawValue, in: content) }
    return content.member("_meta")
  }

  /// Whether a result has `structuredContent`. As fast as `meta`.
  public var isStructured: Bool {
    guard kind == .result, let content else { return false }
    if let found { return found.has(Member.structuredContent.rawValue) }
    return content.member("structuredContent") != nil
  }

  private static let names = JSONNames("jsonrpc", "id", "method", "params", "result", "error")

  /// Checks one JSON text and reads its top-level members; the last of duplicate keys wins.
  ///
  /// Tolerates a missing `jsonrpc`: a method is enough for a call; a result then needs an id, and an error must have
  /// a code (OAuth and frameworks answer `{"error": "…"}`). Of a result and an error the one that is not null counts.
  /// `nil` when it is no message.
  init?(validating text: ByteBuffer) {
    var id: PlacedJSON?
    var isVersioned = false
    var method: PlacedJSON?
    var params: PlacedJSON?
    var result: PlacedJSON?
    var error: PlacedJSON?
    let span = text.readableSpan
    let isObject = RawJSON.forEachMember(
      JSONRPCMessage.names, validating: span, inside: 3..<5, of: JSONRPCMessage.memberNames
    ) { name, value in
      switch name {
      case 0: isVersioned = true
      case 1: id = value
      case 2: method = value
      case 3: params = value
      case 4: result = value
      default: error = value
      }
    }
    guard isObject else { return nil }
    let kind: Kind
    let content: PlacedJSON?
    let name = method.flatMap { MethodName.text(span.extracting($0.range)) }
    if name != nil {
      let isNull = (id?.kind(in: span) ?? .null) == .null
      if isNull { id = nil }
      (kind, content) = (isNull ? .notification : .request, params)
    } else if let result, isVersioned || id != nil,
      !(result.kind(in: span) == .null && error.map { $0.kind(in: span) != .null } == true)
    {
      (kind, content) = (.result, result)
    } else if let error, error.json(in: text).json.member("code") != nil {
      (kind, content) = (.error, error)
    } else {
      return nil
    }
    let (json, members) = content.map { $0.json(in: text) } ?? (nil, nil)
    self.init(
      kind: kind, id: id?.json(in: text).json, method: name ?? "", content: json,
      bytes: text.readableBytes, found: members)
  }
}
