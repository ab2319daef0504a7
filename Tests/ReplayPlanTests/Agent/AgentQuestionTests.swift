import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// How an agent answers what a server asks.
struct `Agent questions` {
  private typealias Reply = AgentSimulation.Reply

  @Test(arguments: [
    ("ping", #"{"jsonrpc":"2.0","id":"q","result":{}}"#),
    ("roots/list", #"{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}"#),
    ("elicitation/create", #"{"jsonrpc":"2.0","id":"q","result":{"action":"decline"}}"#),
    (
      "other/thing",
      #"{"jsonrpc":"2.0","id":"q","error":{"code":-32601,"message":"Method not found"}}"#
    ),
  ])
  func `a question that the recording does not hold gets a client's plain answer`(
    _ method: String, _ answer: String
  ) {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { request, _ in
      switch request.purpose {
      case .step(2): Reply(after: nil)
      case .step(3): Reply(before: [#"{"jsonrpc":"2.0","id":"q","method":"\#(method)"}"#])
      case .serverAnswer: Reply(status: 202, content: "")
      default: Reply()
      }
    }
    agent.run(stop: (1_500_000_000, .now))
    let sent = agent.requests.first { $0.purpose == .serverAnswer(method) }
    #expect(sent?.body.text == answer)
    #expect(sent?.at == agent.requests.first { $0.purpose == .step(3) }?.at)
  }

  @Test func `recorded answers are given in order`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    for (i, name) in ["ada", "bob"].enumerated() {
      let t = Int64(i) * 10
      let asked = lines.request("elicitation/create", t: t) { $0.dir = .s2c }
      lines.answer(asked, t: t + 5, result: #"{"action":"accept","content":{"name":"\#(name)"}}"#) {
        $0.dir = .c2s
      }
    }
    lines.call("greet", t: 30, turn: 1)
    let question = #"{"jsonrpc":"2.0","id":0,"method":"elicitation/create","params":{}}"#
    var agent = AgentSimulation(Conversation.script(lines.events)) { request, _ in
      request.purpose == .step(0)
        ? Reply(before: [question, question]) : Reply(status: 202, content: "")
    }
    agent.run()
    let names = agent.requests.compactMap { $0.body["result"]?["content"]?["name"]?.string }
    #expect(names == ["ada", "bob"])
  }

  @Test(arguments: [
    (#"{"properties":{"name":{"type":"string"},"age":{}}}"#, "accept"),
    (#"{"properties":{"age":{"type":"integer"}}}"#, "decline"),
    (#"{"properties":{"name":{},"age":{}},"required":["age"]}"#, "decline"),
  ])
  func `what was entered elsewhere is entered where it fits`(_ schema: String, _ action: String) {
    let params = #""params":{"message":"new","requestedSchema":\#(schema)}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let asked = lines.request("elicitation/create", t: 0) { $0.dir = .s2c }
    lines.answer(asked, t: 5, result: #"{"action":"accept","content":{"name":"ada"}}"#) {
      $0.dir = .c2s
    }
    lines.call("greet", t: 30, turn: 1)
    var agent = AgentSimulation(Conversation.script(lines.events)) { request, _ in
      request.purpose == .step(0)
        ? Reply(
          after: 100,
          before: [#"{"jsonrpc":"2.0","id":0,"method":"elicitation/create",\#(params)}"#])
        : Reply(status: 202, content: "")
    }
    agent.run()
    let said = agent.requests.first { $0.purpose == .serverAnswer("elicitation/create") }
    #expect(said?.body["result"]?["action"]?.string == action)
  }

  @Test func `an input_required call goes on with this server's state and keys`() {
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let ask = lines.call("ask", t: 0, turn: 1) {
      $0.params = JSONValue(parsing: #"{"name":"ask",\#(meta)}"#).map { RawJSON($0) }
    }
    lines.answer(
      ask, t: 10,
      result:
        #"{"resultType":"input_required","inputRequests":{"k1":{"method":"elicitation/create"}},"requestState":"old"}"#
    )
    let again = lines.call("ask", t: 500, turn: 1) {
      $0.continues = ask
      $0.params = JSONValue(
        parsing:
          #"{"name":"ask",\#(meta),"inputResponses":{"k1":{"action":"accept"}},"requestState":"old"}"#
      ).map { RawJSON($0) }
    }
    let answered = lines.answer(again, t: 600)
    lines.call("next", t: 1000, turn: 2, after: [answered])
    let script = Conversation.script(lines.events)
    #expect(script.calls == 2)
    var agent = AgentSimulation(script) { request, count in
      guard request.purpose == .step(0), count == 0 else { return Reply(after: 100) }
      return Reply(
        after: 1000,
        content:
          #""result":{"resultType":"input_required","inputRequests":{"live":{"method":"elicitation/create"},"r":{"method":"roots/list"}},"requestState":"new"}"#
      )
    }
    agent.run()
    #expect(agent.requests.map(\.at) == [0, 1490, 1990])
    let round = agent.requests[1].body
    #expect(round["id"] == .int(2))
    #expect(
      round["params"]?.text
        == #"{"name":"ask",\#(meta),"inputResponses":{"live":{"action":"accept"},"r":{"roots":[]}},"requestState":"new"}"#
    )
    #expect(agent.records.map(\.outcome) == [.ok, .ok])
  }

  @Test func `a call joined between its rounds is started anew and brings no state along`() {
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("ask", t: 0, turn: 1) {
      $0.params = JSONValue(
        parsing:
          #"{"name":"ask",\#(meta),"inputResponses":{"k":{"action":"accept"}},"requestState":"old"}"#
      ).map { RawJSON($0) }
    }
    var agent = AgentSimulation(Conversation.script(lines.events)) { _, count in
      guard count == 0 else { return Reply() }
      return Reply(
        content:
          #""result":{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create"}}}"#
      )
    }
    agent.run()
    #expect(
      agent.requests.map { $0.body["params"]?.text } == [
        #"{"name":"ask",\#(meta)}"#,
        #"{"name":"ask",\#(meta),"inputResponses":{"k":{"action":"accept"}}}"#,
      ])
  }

  @Test func `an endless interrogation is cut after ten rounds`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("ask", t: 0, turn: 1) {
      $0.headers = [HeaderField("mcp-protocol-version", "2026-07-28")]
    }
    var agent = AgentSimulation(Conversation.script(lines.events)) { _, _ in
      Reply(content: #""result":{"resultType":"input_required","requestState":"x"}"#)
    }
    agent.run()
    #expect(agent.requests.count == 11)
    #expect(agent.end != nil)
  }

  @Test func `an answer on another stream counts as well`() {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { request, _ in
      switch request.purpose {
      // The stream brings the search's answer: the fourth request, id 4.
      case .step(2):
        Reply(after: 1_500_000_000, content: "", before: [#"{"jsonrpc":"2.0","id":2,"result":{}}"#])
      case .step(3): Reply(after: nil)
      default: Reply()
      }
    }
    agent.run()
    #expect(agent.records.first { $0.step == 3 }?.outcome == .ok)
    let opened = agent.requests.first { $0.purpose == .step(2) }?.at ?? 0
    #expect(agent.records.first { $0.step == 3 }?.done == opened + 1_500_000_000)
  }
  @Test func `a question that comes twice is answered once`() {
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("ask", t: 0, turn: 1) {
      $0.params = JSONValue(parsing: #"{"name":"ask",\#(meta)}"#).map { RawJSON($0) }
    }
    var agent = AgentSimulation(Conversation.script(lines.events)) { request, count in
      guard count == 0 else { return Reply() }
      let asked = #""result":{"resultType":"input_required","requestState":"s"}"#
      let id = request.body["id"]?.text ?? ""
      return Reply(content: asked, before: [#"{"jsonrpc":"2.0","id":\#(id),\#(asked)}"#])
    }
    agent.run()
    #expect(agent.requests.count == 2)
    #expect(agent.records.map(\.outcome) == [.ok])
  }
}
