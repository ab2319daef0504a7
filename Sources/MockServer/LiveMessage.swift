import Basics
import MCP
import NIOCore

/// A JSON-RPC message to a live client: a recorded payload in an envelope of the live conversation.
enum LiveMessage: Sendable {
  case result(id: RawJSON, RawJSON)
  case error(id: RawJSON, RawJSON)
  case notification(method: String, params: RawJSON?)
  case request(id: RawJSON, method: String, params: RawJSON?)

  /// The message as one line of JSON, at the end of `buffer`.
  func write(to buffer: inout ByteBuffer) {
    let message = JSONWriter.object { object in
      object.member("jsonrpc", literal: "2.0")
      switch self {
      case .result(let id, let result):
        object.member("id", id)
        object.member("result", result)
      case .error(let id, let error):
        object.member("id", id)
        object.member("error", error)
      case .notification(let method, let params):
        object.member("method", method)
        object.member("params", params)
      case .request(let id, let method, let params):
        object.member("id", id)
        object.member("method", method)
        object.member("params", params)
      }
    }
    buffer.writeImmutableBuffer(message.bytes)
  }
}

/// What of a recorded notification belongs to the recorded client and is replaced by the live client's own value.
struct LiveTokens: Sendable {
  /// `params._meta.progressToken` of the live request; without one no progress is sent.
  var progress: RawJSON?
  /// Id of the live request, for `_meta["io.modelcontextprotocol/subscriptionId"]`.
  var subscription: RawJSON?

  /// Returns the params to send, or `nil` when the live client did not ask for such a notification.
  func params(of method: String, _ recorded: RawJSON?) -> RawJSON?? {
    if method == Method.progress {
      guard let progress else { return nil }
      return recorded?.replacing("progressToken", with: progress)
    }
    let subscriptionKey = "io.modelcontextprotocol/subscriptionId"
    guard let subscription, let recorded, let meta = recorded.member("_meta"),
      meta.member(subscriptionKey) != nil
    else { return .some(recorded) }
    return recorded.replacing("_meta", with: meta.replacing(subscriptionKey, with: subscription))
  }
}

extension RawJSON {
  /// Returns the object with a member's value replaced, or added when it was absent.
  func replacing(_ name: String, with value: RawJSON) -> RawJSON {
    JSONWriter.object { object in
      var isReplaced = false
      var members: [(String, RawJSON)] = []
      forEachMember { members.append(($0, $1)) }
      for (key, old) in members {
        isReplaced = isReplaced || key == name
        object.member(named: key, key == name ? value : old)
      }
      if !isReplaced { object.member(named: name, value) }
    }
  }
}
