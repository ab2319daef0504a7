import Basics
import MCP
import Trace

/// The steps that open a session which the recording has no opening of.
struct Handshake {
  var revision: String
  var client: JSONValue?
  var capabilities = JSONValue.object([])

  /// `initialize`, and the notification that waits for its answer.
  var steps: [ScriptStep] {
    var initialize = ScriptStep(n: 0, kind: .request, method: Method.initialize)
    initialize.id = RawJSON(.int(0))
    initialize.outcome = .ok
    let unknown = Handshake.describe(Implementation(name: "replay", version: "1"))
    initialize.params = RawJSON(
      .object([
        .init("protocolVersion", .string(revision)), .init("capabilities", capabilities),
        .init("clientInfo", client ?? unknown),
      ]))
    var initialized = ScriptStep(n: 0, kind: .notification, method: "notifications/initialized")
    initialized.after = [0]
    return [initialize, initialized]
  }

  static func describe(_ client: Implementation) -> JSONValue {
    .object([.init("name", .string(client.name)), .init("version", .string(client.version))])
  }
}
