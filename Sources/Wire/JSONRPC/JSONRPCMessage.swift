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

  /// Creates a message.
  public init(kind: Kind, id: RawJSON?, method: String, content: RawJSON?, bytes: Int) {
    self.kind = kind
    self.id = id
    self.method = method
    self.content = content
    self.bytes = bytes
  }

  /// Copies its texts where they are a small part of the buffer that they keep.
  public mutating func own() {
    id = id?.owned
    content = content?.owned
  }
}

extension JSONRPCMessage {
  private static let names = JSONNames("jsonrpc", "id", "method", "params", "result", "error")

  /// Checks one JSON text and reads its top-level members; the last of duplicate keys wins.
  ///
  /// Tolerates a missing `jsonrpc`: a method is enough for a call; a result then needs an id, and an error must have
  /// a code (OAuth and frameworks answer `{"error": "…"}`). Of a result and an error the one that is not null counts.
  /// `nil` when it is no message.
  init?(validating text: ByteBuffer) {
    let bytes = text.readableBytes
    var id: RawJSON?
    var isVersioned = false
    var method: RawJSON?
    var params: RawJSON?
    var result: RawJSON?
    var error: RawJSON?
    let isObject = RawJSON.forEachMember(JSONRPCMessage.names, validating: text) { name, value in
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
    if let method = method.flatMap({ MethodName.text($0) }) {
      let isNull = (id?.kind ?? .null) == .null
      self.init(
        kind: isNull ? .notification : .request, id: isNull ? nil : id, method: method,
        content: params, bytes: bytes)
    } else if let result, isVersioned || id != nil,
      !(result.kind == .null && error.map { $0.kind != .null } == true)
    {
      self.init(kind: .result, id: id, method: "", content: result, bytes: bytes)
    } else if let error, error.member("code") != nil {
      self.init(kind: .error, id: id, method: "", content: error, bytes: bytes)
    } else {
      return nil
    }
  }
}
