import Basics
import MCP
import ReplayPlan
import TestKit
import Testing
import Trace

/// Values that the recording hides (`redacted`, `payloads: shape`).
struct `Hidden values` {
  private typealias Reply = AgentSimulation.Reply

  private func play(
    _ events: [TraceEvent], _ change: (inout PlanOptions) -> Void = { _ in }
  ) -> AgentSimulation {
    var options = PlanOptions()
    change(&options)
    var agent = AgentSimulation(Conversation.script(events), options: options) { request, _ in
      let isMake = request.body["params"]?["name"]?.string == "make"
      let answer = isMake ? #"{"id":"new"}"# : #"{"token":"u"}"#
      return Reply(after: 10, content: #""result":{"structuredContent":\#(answer)}"#)
    }
    agent.run()
    return agent
  }

  private static let whole =
    #"[{"at":"/arguments/id","from":FROM,"path":"/structuredContent/id"}]"#

  @Test(arguments: [
    // Nothing gives it; the text is bound in part; another place is bound.
    ("[]", #"{"id":"old"}"#, "/arguments/id"),
    (
      #"[{"at":"/arguments/id","from":FROM,"path":"/structuredContent/id","at_within":{"before":"the ","after":""}}]"#,
      #"{"id":"the old"}"#, "/arguments/id"
    ),
    (whole, #"{"id":"old","name":"xyz"}"#, "/arguments/name"),
    (whole, #"{"id":"old","text":"{\"a\":1}"}"#, "/arguments/text#/a"),
  ])
  func `a surrogate is not sent`(_ uses: String, _ arguments: String, _ place: String) {
    let events = Conversation.pair(uses, arguments: arguments, tail: true) { $0.redacted = [place] }
    let skipped = play(events)
    #expect(skipped.omitted == [1: .unresolved, 2: .unresolved])
    #expect(skipped.unresolved.map(\.cause) == [.redacted, .notSent])
    let sent = play(events) { $0.onUnresolved = .recorded }
    #expect(sent.requests.count == 3)
    #expect(sent.unresolved.map(\.cause) == [.redacted])
    let ended = play(events) { $0.onUnresolved = .endSession }
    #expect(ended.omitted == [1: .unresolved, 2: .afterError])
  }

  @Test func `a surrogate is no matter where an answer gives the value`() {
    let events = Conversation.pair(Self.whole, tail: true) {
      $0.redacted = ["/arguments/id", "/requestState"]
    }
    let agent = play(events)
    #expect(
      agent.requests.map { $0.body["params"]?["arguments"]?.text }
        == ["{}", #"{"id":"new"}"#, #"{"token":"u"}"#])
    #expect(agent.unresolved.isEmpty)
    #expect(play(events) { $0.correlates = false }.unresolved.map(\.cause) == [.redacted])
  }

  @Test func `of a shape all that no answer gives is a surrogate`() throws {
    var header = HeaderLine(recorder: "record 1", source: .proxy, t0: Timestamp(nanoseconds: 0))
    header.payloads = .shape
    let meta =
      #""_meta":{"io.modelcontextprotocol/clientInfo":{"name":"x"},"progressToken":"p","deploy_token":"a1b2c3d4e5f6"}"#
    let events = Conversation.pair(
      Self.whole, arguments: #"{"id":"old","n":7,"ok":true,"none":""}"#, tail: true
    ) {
      $0.params = JSONValue(
        parsing:
          #"{"name":"use","arguments":\#($0.params?.member("arguments")?.text ?? ""),\#(meta)}"#
      )
      .map { RawJSON($0) }
    }
    let script = Conversation.script([.header(header)] + events)
    let use = try #require(script.steps.dropLast().last)
    #expect(
      use.hidden.map(\.description) == ["/arguments/id", "/arguments/n", "/_meta/deploy_token"])
    #expect(script.steps.first?.hidden == [])
    #expect(Conversation.script(events).steps.allSatisfy { $0.hidden == [] })
  }

  @Test func `an answer to the server that is a surrogate is told`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let call = lines.call("ask", t: 0, turn: 1)
    let asked = lines.request("elicitation/create", t: 5) { $0.dir = .s2c }
    lines.answer(asked, t: 8, result: #"{"action":"accept","content":{"name":"Zoe"}}"#) {
      $0.dir = .c2s
      $0.redacted = ["/content/name"]
    }
    lines.answer(call, t: 10)
    var agent = AgentSimulation(Conversation.script(lines.events)) { request, _ in
      guard request.purpose == .step(0) else { return Reply(status: 202, content: "") }
      return Reply(
        before: [#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{}}"#])
    }
    agent.run()
    #expect(agent.unresolved.map(\.step) == [0])
    #expect(agent.unresolved.map(\.cause) == [.redacted])
  }
}
