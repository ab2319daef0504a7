import Basics
import MockServer
import Testing

@Suite struct `Questions that were not recorded` {
  private let trace = recording {
    $0.session("s1")
    $0.handshake("s1")
    $0.call("s1", 3, "f", "{}", takes: 1, text: "a", via: "json")
    $0.call("s1", 5, "g", "{}", takes: 1, text: "a", via: "json")
  }

  private func answer(_ method: String, _ params: String) throws -> Stage.Seen {
    var stage = try Stage(trace)
    let session = stage.initialize()
    return stage.answer(
      "POST", session,
      #"{"jsonrpc":"2.0","id":18446744073709551616,"method":"\#(method)","params":\#(params)}"#)
  }

  @Test func `for an unknown tool get an error of the tool`() throws {
    let seen = try answer("tools/call", #"{"name":"h","arguments":{}}"#)
    #expect(seen.status == 200)
    #expect(
      seen.body?.text
        == #"{"jsonrpc":"2.0","id":18446744073709551616,"result":{"content":[{"type":"text","text":"Unknown tool: h"}],"isError":true}}"#
    )
  }

  @Test func `for the tools get those that were called`() throws {
    let seen = try answer("tools/list", "{}")
    #expect(
      seen.body?.text
        == #"{"jsonrpc":"2.0","id":18446744073709551616,"result":{"tools":[{"name":"f","inputSchema":{"type":"object"}},{"name":"g","inputSchema":{"type":"object"}}]}}"#
    )
  }

  @Test func `by ping get a pong`() throws {
    let seen = try answer("ping", "{}")
    #expect(seen.body?.text == #"{"jsonrpc":"2.0","id":18446744073709551616,"result":{}}"#)
  }

  @Test func `for an unknown method get -32601`() throws {
    let seen = try answer("prompts/list", "{}")
    #expect(seen.status == 200)
    #expect(
      seen.body?.text
        == #"{"jsonrpc":"2.0","id":18446744073709551616,"error":{"code":-32601,"message":"Method not found: prompts/list"}}"#
    )
  }

  @Test func `that are none get a 4xx`() throws {
    var stage = try Stage(trace)
    let session = stage.initialize()
    #expect(stage.answer("POST", session, "{nonsense").status == 400)
    #expect(stage.answer("POST", session, #"{"neither":1}"#).status == 400)
    #expect(stage.answer("POST", session, "[\(Stage.call("f", "{}"))]").status == 400)
    #expect(stage.answer("PUT", session, Stage.call("f", "{}")).status == 405)
    let elsewhere = stage.answer("POST", session, Stage.call("f", "{}"), target: "/other")
    #expect(elsewhere.status == 404)
    let slash = stage.answer("POST", session, Stage.call("f", "{}"), target: "/mcp/?x=1")
    #expect(slash.status == 200)
    #expect(stage.server.counts.refused == 5)
  }

  @Test func `are answered with the least that is valid where payloads were not kept`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1")
        $0.exchange("s1", 1, "initialize", takes: 1, "")
        $0.exchange("s1", 3, "tools/call", #"{"name":"f"}"#, takes: 1, "", outcome: "tool_error")
      })
    let handshake = stage.answer("POST", [], Stage.initialize())
    #expect(
      handshake.events.map(\.text) == [
        #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"desk","version":"2"}}}"#
      ])
    let session = handshake.session.map { [HeaderField("mcp-session-id", $0)] } ?? []
    let call = stage.answer("POST", session, Stage.call("f", "{}"))
    #expect(
      call.events.map(\.text)
        == [#"{"jsonrpc":"2.0","id":7,"result":{"content":[],"isError":true}}"#])
  }

  @Test(arguments: [
    (
      "server/discover", "{}",
      #""ttlMs":0,"cacheScope":"private","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}"#
    ),
    (
      "tools/list", "{}",
      #""ttlMs":0,"cacheScope":"private","tools":[{"name":"f","inputSchema":{"type":"object"}}]"#
    ),
    (
      "tools/call", #"{"name":"h"}"#,
      #""content":[{"type":"text","text":"Unknown tool: h"}],"isError":true"#
    ),
  ])
  func `are answered in the manner of 2026-07-28 where that was recorded`(
    method: String, params: String, result: String
  ) throws {
    var stage = try Stage(
      recording {
        $0.session("s1", .modern)
        $0.call("s1", 3, "f", "{}", takes: 1, text: "a", via: "json")
      })
    let seen = stage.answer(
      "POST", [HeaderField("mcp-protocol-version", "2026-07-28")],
      #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#)
    #expect(
      seen.body?.text == #"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete",\#(result)}}"#)
  }
}
