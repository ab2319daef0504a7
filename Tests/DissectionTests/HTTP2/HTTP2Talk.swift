import Basics
import Dissection
import TestKit
import Trace

/// What the conversations of these tests are made of.
enum Talk {
  static let initialize =
    #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#
  static let initialized =
    #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","serverInfo":{"name":"s","version":"2"}}}"#
  static let ready = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
  static let progress = #"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#

  static func call(_ id: Int) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"t","arguments":{}}}"#
  }

  static func result(_ id: Int) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"result":{"content":[]}}"#
  }

  static let sid = "mcp-session-id: 5e55"

  static let audited: DissectionOptions = {
    var options = DissectionOptions(redactor: nil)
    options.exchanges = true
    return options
  }()
}

extension HTTP2Script {
  /// A handshake on three streams from `stream` on.
  mutating func handshake(_ stream: Int, _ sid: String = Talk.sid) {
    post(stream, Talk.initialize)
    pause(5)
    json(stream, Talk.initialized, sid)
    pause(1)
    post(stream + 2, Talk.ready, sid)
    pause(1)
    empty(stream + 2, status: 202)
  }
}

extension Dissected {
  var exchanges: [ExchangeLine] {
    events.compactMap { if case .exchange(let line) = $0 { line } else { nil } }
      .sorted { $0.x < $1.x }
  }
  var connectionLines: [ConnectionLine] {
    events.compactMap { if case .connection(let line) = $0 { line } else { nil } }
  }
}
