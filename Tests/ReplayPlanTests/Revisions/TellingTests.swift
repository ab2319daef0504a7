import Basics
import MCP
import ReplayPlan
import TestKit
import Testing
import Trace

/// Sessions told in the other kind of revision.
struct `Telling a session` {
  private typealias Reply = AgentSimulation.Reply

  private static func stateless(
    _ events: [TraceEvent], mirrored: [String: [ScriptStep.Mirror]] = [:]
  ) -> SessionScript {
    var target = SpokenRevisions()
    target.withSessions = .refused
    target.stateless = .speaks(.stateless)
    target.mirrored = mirrored
    return Conversation.script(events).told(to: target)
  }

  private static func withSession(_ events: [TraceEvent]) -> SessionScript {
    var target = SpokenRevisions()
    target.withSessions = .speaks(Revision("2025-11-25"))
    target.stateless = .refused
    return Conversation.script(events).told(to: target)
  }

  /// A session with all that sessions have; milliseconds.
  private static func rich() -> [TraceEvent] {
    var lines = SessionLines("s1", start: 0)
    let hello = lines.request(
      "initialize", t: 0,
      params:
        #"{"protocolVersion":"2025-11-25","capabilities":{"roots":{},"tasks":{}},"clientInfo":{"name":"a","version":"1"}}"#
    )
    let welcome = lines.answer(hello, t: 5)
    lines.notification("notifications/initialized", t: 6, done: 7, after: [welcome])
    lines.stream(t: 8, after: [welcome])
    let level = lines.request(
      "logging/setLevel", t: 10, params: #"{"level":"error"}"#, after: [welcome])
    let set = lines.answer(level, t: 12)
    let ping = lines.request("ping", t: 20, after: [set])
    let pong = lines.answer(ping, t: 50)
    let watch = lines.request(
      "resources/subscribe", t: 60, params: #"{"uri":"u:1"}"#, after: [pong])
    let watching = lines.answer(watch, t: 65)
    let call = lines.call(
      "ship", t: 100, turn: 1, after: [watching], arguments: #"{"region":"zürich","n":{"k":7}}"#)
    let shipped = lines.answer(call, t: 130)
    lines.request(
      "resources/unsubscribe", t: 140, params: #"{"uri":"u:1"}"#, after: [shipped])
    lines.notification("notifications/roots/list_changed", t: 150, done: 151, after: [shipped])
    lines.delete(t: 200, done: 201, after: [shipped])
    return lines.events
  }

  @Test func `steps keep their places, and say why they are not sent`() {
    let script = Self.stateless(Self.rich())
    #expect(
      script.steps.map(\.method) == [
        "server/discover", "notifications/initialized", "subscriptions/listen",
        "logging/setLevel", "ping", "subscriptions/listen", "tools/call", "resources/unsubscribe",
        "notifications/roots/list_changed", "DELETE",
      ])
    #expect(
      script.steps.map(\.omission) == [
        nil, .retold, nil, .retold, .noCounterpart, nil, nil, nil, .noCounterpart, .noCounterpart,
      ])
    #expect(script.steps[7].kind == .closeStream)
    #expect(script.steps[7].closes == 5)
    #expect(script.recordedRevision == "2025-11-25")
    #expect(script.revision == "2026-07-28")
  }

  @Test func `a stateless agent sends all that a request needs, and keeps the rhythm`() {
    func mirror(_ name: String, _ path: String...) -> ScriptStep.Mirror {
      .init(name: name, path: ValuePath(steps: [.child("arguments")] + path.map { .child($0) }))
    }
    let mirrored = [
      "ship": [mirror("Region", "region"), mirror("K", "n", "k"), mirror("None", "absent")]
    ]
    var agent = AgentSimulation(Self.stateless(Self.rich(), mirrored: mirrored)) { request, _ in
      // Streams stay open.
      request.body["method"]?.string == "subscriptions/listen" ? Reply(after: nil) : Reply(after: 5)
    }
    agent.run()
    #expect(
      agent.requests.map { $0.body["method"]?.string } == [
        "server/discover", "subscriptions/listen", "subscriptions/listen", "tools/call",
      ])
    // What is not sent takes as long as it did: 12 + 8 + 30 before the subscription, which is not answered now.
    #expect(agent.requests.map(\.at) == [0, 8, 60, 95])
    #expect(agent.untold == [4, 8, 9])
    let call = agent.requests[3]
    #expect(
      call.body["params"]?.text
        == #"{"name":"ship","arguments":{"region":"zürich","n":{"k":7}},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"a","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/logLevel":"error"}}"#
    )
    #expect(call.header("mcp-param-region") == "=?base64?esO8cmljaA==?=")
    #expect(call.header("mcp-param-k") == "7")
    #expect(call.header("mcp-param-none") == nil)
    #expect(call.header("mcp-name") == "ship")
    #expect(call.header("mcp-session-id") == nil)
    let filters = agent.requests[1...2].map { $0.body["params"]?["notifications"]?.text }
    #expect(
      filters == [
        #"{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}"#,
        #"{"resourceSubscriptions":["u:1"]}"#,
      ])
    // The subscription's stream is closed by the client when it unsubscribes.
    #expect(agent.abandoned == [3])
  }

  @Test func `recorded answers to a server's requests answer rounds, each its own question`() {
    var lines = SessionLines("s1", start: 0)
    let hello = lines.request("initialize", t: 0, params: Conversation.initialize)
    let welcome = lines.answer(hello, t: 5)
    lines.call("ask", t: 10, turn: 1, after: [welcome])
    for (name, t) in [("ada", 20), ("bob", 40)] {
      let asked = lines.request(
        "elicitation/create", t: Int64(t), params: #"{"message":"who is \#(name)?"}"#
      ) { $0.dir = .s2c }
      lines.answer(asked, t: Int64(t + 15), result: #"{"action":"\#(name)"}"#) { $0.dir = .c2s }
    }
    func question(_ name: String) -> String {
      #"{"method":"elicitation/create","params":{"message":"who is \#(name)?"}}"#
    }
    var agent = AgentSimulation(Self.stateless(lines.events)) { request, _ in
      let params = request.body["params"]
      guard request.purpose == .step(1) else { return Reply() }
      if params?["inputResponses"] != nil { return Reply() }
      return Reply(
        content:
          #""result":{"resultType":"input_required","inputRequests":{"x":\#(question("bob")),"y":\#(question("ada"))},"requestState":"s/1=="}"#
      )
    }
    agent.run()
    #expect(agent.requests.map(\.at) == [0, 5, 20])
    let round = agent.requests[2].body["params"]
    #expect(
      round?["inputResponses"]?.text == #"{"x":{"action":"bob"},"y":{"action":"ada"}}"#)
    #expect(round?["requestState"] == .string("s/1=="))
    #expect(agent.records.map(\.outcome) == [.ok, .ok])
  }

  /// A recording of revision 2026-07-28: discover, a stream for one resource, a call with a round, one that was given up.
  private static func modern() -> [TraceEvent] {
    let meta =
      #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"m","version":"2"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}},"io.modelcontextprotocol/logLevel":"info","progressToken":1}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let probe = lines.request("server/discover", t: 0, params: "{\(meta)}")
    let offer = lines.answer(probe, t: 10)
    lines.request(
      "subscriptions/listen", t: 20,
      params: #"{"notifications":{"resourceSubscriptions":["u:1","u:2"]},\#(meta)}"#, after: [offer]
    )
    let ask = lines.call("ask", t: 100, turn: 1, after: [offer]) {
      $0.params = JSONValue(parsing: #"{"name":"ask",\#(meta)}"#).map { RawJSON($0) }
      $0.headers = [HeaderField("Mcp-Param-X", "1")]
    }
    lines.answer(
      ask, t: 110,
      result:
        #"{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"ok?"}}}}"#
    )
    let again = lines.call("ask", t: 150, turn: 1) {
      $0.continues = ask
      $0.params = JSONValue(
        parsing: #"{"name":"ask",\#(meta),"inputResponses":{"k":{"action":"accept"}}}"#
      ).map { RawJSON($0) }
    }
    let asked = lines.answer(again, t: 160)
    let slow = lines.call("slow", t: 200, turn: 2, after: [asked]) {
      $0.params = JSONValue(parsing: #"{"name":"slow",\#(meta)}"#).map { RawJSON($0) }
    }
    lines.answer(slow, t: 230, .cancelled) { $0.by = .client }
    return lines.events
  }

  @Test func `a session gets a handshake, a stream, its log level and its end`() {
    let script = Self.withSession(Self.modern())
    var agent = AgentSimulation(script) { request, _ in
      switch request.body["method"]?.string {
      case "initialize":
        Reply(
          fields: [HeaderField("mcp-session-id", "live")],
          content: #""result":{"protocolVersion":"2025-11-25"}"#)
      case "tools/call":
        if request.body["params"]?["name"]?.string == "slow" {
          Reply(after: nil)
        } else {
          Reply(
            after: 100,
            before: [
              #"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"ok?"}}"#
            ])
        }
      default: request.head.hasPrefix("GET") ? Reply(after: nil) : Reply(content: "")
      }
    }
    agent.run(stop: (10_000_000_000, .now))
    let said = agent.requests.map { $0.body["method"]?.string ?? String($0.head.prefix(4)) }
    #expect(
      said == [
        "initialize", "notifications/initialized", "GET ", "logging/setLevel",
        "resources/subscribe", "resources/subscribe", "tools/call", "POST", "tools/call",
        "notifications/cancelled", "DELE",
      ])
    #expect(
      agent.requests[0].body["params"]?.text
        == #"{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"m","version":"2"}}"#
    )
    #expect(agent.requests[3].body["params"]?.text == #"{"level":"info"}"#)
    #expect(
      agent.requests[4...5].map { $0.body["params"]?.text } == [
        #"{"uri":"u:1"}"#, #"{"uri":"u:2"}"#,
      ])
    #expect(agent.requests[6].body["params"]?["_meta"]?.members?.map(\.key) == ["progressToken"])
    #expect(agent.requests[6].header("mcp-param-x") == nil)
    #expect(agent.requests[7].body["result"]?.text == #"{"action":"accept"}"#)
    // The user took 40 between question and answer.
    #expect(agent.requests[7].at - agent.requests[6].at == 100 + 40)
    #expect(agent.requests[1...].allSatisfy { $0.header("mcp-session-id") == "live" })
    #expect(agent.requests[8].at + 30 == agent.requests[9].at)
    #expect(agent.untold == [])
    #expect(agent.records.last?.outcome == .cancelled)
    #expect(script.calls == 2)
  }

  @Test func `without a session id there is neither stream nor end`() {
    var agent = AgentSimulation(Self.withSession(Self.modern())) { request, _ in
      request.body["method"]?.string == "initialize"
        ? Reply(content: #""result":{"protocolVersion":"2025-11-25"}"#) : Reply()
    }
    agent.run()
    #expect(agent.requests.allSatisfy { $0.head.hasPrefix("POST") })
    #expect(agent.end != nil)
  }
}
