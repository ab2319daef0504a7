import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// What of a clone is its own.
struct `Agent identity` {
  @Test func `session id and revision are those of this server`() {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { request, _ in
      guard case .step(0) = request.purpose else {
        return .init(after: request.purpose == .step(2) ? nil : 0)
      }
      return .init(
        fields: [HeaderField("Mcp-Session-Id", "live-1")],
        content: #""result":{"protocolVersion":"2025-06-18"}"#)
    }
    agent.run()
    let sessions = agent.requests.map { $0.header("mcp-session-id") }
    let revisions = agent.requests.map { $0.header("mcp-protocol-version") }
    let later = Array(repeating: Optional("live-1"), count: 7)
    #expect(sessions == [nil] + later)
    #expect(revisions == [nil] + Array(repeating: Optional("2025-06-18"), count: 7))
  }

  @Test func `a session id beside an error is a phantom`() {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { _, _ in
      .init(status: 400, fields: [HeaderField("Mcp-Session-Id", "phantom")], content: "")
    }
    agent.run()
    #expect(agent.requests.count == 1)
    #expect(agent.omitted == [3: .afterError, 4: .afterError, 5: .afterError, 6: .afterError])
  }

  @Test func `ids count up from the recorded first and keep their type`() {
    var lines = SessionLines("s1", start: 0)
    lines.request("ping", t: 0, id: "0")
    lines.request("ping", t: 10, id: #""probe-1""#)
    lines.request("ping", t: 20, id: "17")
    let script = Conversation.script(withoutKey(lines.events))
    var agent = AgentSimulation(script) { _, _ in .init() }
    agent.run()
    #expect(agent.requests.map { $0.body["id"] } == [.int(0), .string("1"), .int(2)])
  }

  @Test func `the progress token follows the id`() {
    var lines = SessionLines("s1", start: 0)
    lines.request("ping", t: 0, id: "5")
    lines.request(
      "tools/list", t: 10, params: #"{"_meta":{"progressToken":41,"x":[1.0]},"cursor":"c"}"#,
      id: "41")
    let script = Conversation.script(withoutKey(lines.events))
    var agent = AgentSimulation(script) { _, _ in .init() }
    agent.run()
    #expect(
      agent.requests.last?.body["params"]?.text
        == #"{"_meta":{"progressToken":6,"x":[1.0]},"cursor":"c"}"#)
  }

  @Test func `a cursor is that of this server's last page`() {
    var lines = SessionLines("s1", start: 0)
    let first = lines.request("tools/list", t: 0)
    let page = lines.answer(first, t: 10, result: #"{"tools":[],"nextCursor":"recorded"}"#)
    let second = lines.request(
      "tools/list", t: 20, params: #"{"cursor":"recorded"}"#, after: [page])
    let last = lines.answer(second, t: 30, result: #"{"tools":[],"nextCursor":"more"}"#)
    lines.request("tools/list", t: 40, params: #"{"cursor":"more"}"#, after: [last])
    let script = Conversation.script(withoutKey(lines.events))
    var agent = AgentSimulation(script) { request, _ in
      // The live listing has two pages where the recorded one had three.
      .init(
        content: request.purpose == .step(0)
          ? #""result":{"nextCursor":"live"}"# : #""result":{}"#)
    }
    agent.run()
    #expect(agent.requests.map { $0.body["params"]?["cursor"]?.string } == [nil, "live"])
    #expect(agent.end != nil)
  }

  @Test func `credentials of the recording are never sent`() {
    var lines = SessionLines("s1", start: 0)
    lines.request("ping", t: 0) {
      $0.headers = [
        HeaderField("Host", "h:1"), HeaderField("authorization", "Bearer kx9"),
        HeaderField("x-api-key", "kx8"), HeaderField("Cookie", "a=b"), HeaderField("x-team", "red"),
        HeaderField("mcp-session-id", "old"), HeaderField("accept-encoding", "br, gzip"),
        HeaderField("x-evil", "a\r\nb: c"), HeaderField("user-agent", "sdk/1"),
      ]
    }
    let target = ReplayTarget(
      host: "127.0.0.1", port: 80, authority: "t:80", path: "/other?x=1",
      headers: [HeaderField("Authorization", "Bearer mine"), HeaderField("X-Team", "blue")])
    let script = Conversation.script(withoutKey(lines.events))
    var agent = AgentSimulation(script, target: target) { _, _ in .init() }
    agent.run()
    #expect(
      agent.requests.first?.head == """
        POST /other?x=1 HTTP/1.1\r
        Host: t:80\r
        accept-encoding: gzip\r
        user-agent: sdk/1\r
        Accept: application/json, text/event-stream\r
        Content-Type: application/json\r
        Authorization: Bearer mine\r
        X-Team: blue\r
        Content-Length: 40\r
        \r

        """)
  }

  @Test func `a modern request carries its own metadata and no session`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    lines.request("tools/call", t: 0, params: #"{"name":"zürich",\#(meta)}"#) {
      $0.headers = [HeaderField("mcp-name", "stale"), HeaderField("mcp-param-region", "us")]
    }
    let script = Conversation.script(lines.events)
    var agent = AgentSimulation(script) { _, _ in .init() }
    agent.run()
    let request = agent.requests.first
    #expect(request?.header("mcp-protocol-version") == "2026-07-28")
    #expect(request?.header("mcp-method") == "tools/call")
    #expect(request?.header("mcp-name") == "=?base64?esO8cmljaA==?=")
    #expect(request?.header("mcp-param-region") == "us")
    #expect(request?.header("mcp-session-id") == nil)
  }

  @Test func `arguments are mirrored as the recorded schema says`() {
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let list = lines.request("tools/list", t: 0, params: "{\(meta)}")
    let listed = lines.answer(
      list, t: 1,
      result: #"""
        {"tools":[{"name":"t","inputSchema":{"properties":{
        "region":{"type":"string","x-mcp-header":"Auth-Token"},
        "size":{"type":"integer","x-mcp-header":"Size"},
        "dry":{"type":"boolean","x-mcp-header":"Dry"},
        "gone":{"type":"string","x-mcp-header":"Gone"},
        "bad":{"type":"string","x-mcp-header":"two words"},
        "deep":{"properties":{"city":{"type":"string","x-mcp-header":"City"}}}}}}]}
        """#)
    lines.request(
      "tools/call", t: 10,
      params:
        #"{"name":"t","arguments":{"region":"zürich","size":7,"dry":true,"gone":null,"bad":"x","deep":{"city":" a"}},\#(meta)}"#,
      after: [listed]
    ) {
      $0.tool = "t"
      // What was recorded is a surrogate where it looked like a credential.
      $0.headers = [HeaderField("mcp-param-auth-token", "qx"), HeaderField("mcp-param-old", "x")]
    }
    var agent = AgentSimulation(Conversation.script(lines.events)) { _, _ in .init() }
    agent.run()
    let mirrored = agent.requests.last?.head.split(separator: "\r\n")
      .filter { $0.lowercased().hasPrefix("mcp-param-") }
    #expect(
      mirrored == [
        "Mcp-Param-Auth-Token: =?base64?esO8cmljaA==?=", "Mcp-Param-Size: 7", "Mcp-Param-Dry: true",
        "Mcp-Param-City: =?base64?IGE=?=",
      ])
  }

  @Test func `a modern notification names its method`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.notification(
      "notifications/x", t: 0, done: 1,
      params: #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#)
    var agent = AgentSimulation(Conversation.script(lines.events)) { _, _ in .init() }
    agent.run()
    #expect(agent.requests.first?.header("mcp-method") == "notifications/x")
    #expect(agent.requests.first?.header("mcp-protocol-version") == "2026-07-28")
  }

  /// A stateless session: no handshake is put before it.
  private func withoutKey(_ events: [TraceEvent]) -> [TraceEvent] {
    events.map { event in
      guard case .session(var line) = event else { return event }
      line.key = nil
      return .session(line)
    }
  }
}
