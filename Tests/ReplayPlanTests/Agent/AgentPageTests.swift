import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Listings with more or fewer pages than in the recording.
struct `Agent pages` {
  private typealias Reply = AgentSimulation.Reply

  /// Two pages, and a call; the last page may name another one.
  private static func recording(last: String = "{}") -> [TraceEvent] {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let one = lines.request("tools/list", t: 0)
    let first = lines.answer(one, t: 10, result: #"{"nextCursor":"r1"}"#)
    let two = lines.request("tools/list", t: 15, params: #"{"cursor":"r1"}"#, after: [first])
    let second = lines.answer(two, t: 25, result: last)
    lines.call("a", t: 125, turn: 1, after: [second])
    return lines.events
  }

  /// Plays against a server with so many pages; answers take 10.
  private static func play(_ events: [TraceEvent], pages: Int) -> AgentSimulation {
    var count = 0
    var agent = AgentSimulation(Conversation.script(events)) { request, _ in
      guard request.body["method"]?.string == "tools/list" else { return Reply(after: 10) }
      count += 1
      return Reply(
        after: 10, content: #""result":{\#(count < pages ? #""nextCursor":"live\#(count)""# : "")}"#
      )
    }
    agent.run()
    return agent
  }

  @Test(arguments: [1, 2, 3, 6])
  func `a client that read to the end reads to the end`(_ pages: Int) {
    let agent = Self.play(Self.recording(), pages: pages)
    let cursors = agent.requests.dropLast().map { $0.body["params"]?["cursor"]?.string }
    #expect(cursors == [nil] + (1..<pages).map { "live\($0)" })
    #expect(agent.requests.last?.body["method"] == .string("tools/call"))
    #expect(agent.repeated.count == max(0, pages - 2))
    #expect(agent.records.map(\.step) == (pages > 1 ? [0, 1, 2] : [0, 2]))
    // The call waits for the last page.
    let last = Int64(pages - 1) * 15 - Int64(max(0, pages - 2)) * 5 + 10
    #expect(agent.requests.last?.at == (pages > 1 ? last + 100 : 110 + 5))
  }

  @Test func `a client that stopped before the end stops there`() {
    let agent = Self.play(Self.recording(last: #"{"nextCursor":"r2"}"#), pages: 6)
    #expect(agent.requests.count == 3)
  }

  @Test func `pages without end are left`() {
    let agent = Self.play(Self.recording(), pages: .max)
    #expect(agent.requests.count == 1 + 1 + 1000 + 1)
    #expect(agent.end != nil)
  }

  @Test func `what a client answers in a round takes values of this run`() {
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let make = lines.call("make", t: 0, turn: 1) {
      $0.params = JSONValue(parsing: #"{"name":"make",\#(meta)}"#).map { RawJSON($0) }
    }
    let made = lines.answer(make, t: 10, result: #"{"structuredContent":{"id":"old-id"}}"#)
    let ask = lines.call("ask", t: 20, turn: 2, after: [made]) {
      $0.params = JSONValue(parsing: #"{"name":"ask",\#(meta)}"#).map { RawJSON($0) }
    }
    lines.answer(
      ask, t: 30,
      result:
        #"{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create"}}}"#)
    lines.call("ask", t: 40, turn: 2) {
      $0.continues = ask
      $0.params = JSONValue(
        parsing:
          #"{"name":"ask",\#(meta),"inputResponses":{"k":{"action":"accept","content":{"which":"old-id"}}}}"#
      ).map { RawJSON($0) }
      $0.uses = JSONValue(
        parsing:
          #"[{"at":"/inputResponses/k/content/which","from":\#(made),"path":"/structuredContent/id"}]"#
      )
    }
    let script = Conversation.script(lines.events)
    func said(_ options: PlanOptions, _ result: String) -> (JSONValue?, Int) {
      var agent = AgentSimulation(script, options: options) { request, count in
        switch request.purpose {
        case .step(0): Reply(content: #""result":\#(result)"#)
        case .step(1) where count == 0:
          Reply(
            content:
              #""result":{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create"}}}"#
          )
        default: Reply()
        }
      }
      agent.run()
      let responses = agent.requests.last?.body["params"]?["inputResponses"]
      return (responses?["k"]?["content"]?["which"], agent.unresolved.count)
    }
    let fresh = #"{"structuredContent":{"id":"new-id"}}"#
    #expect(said(PlanOptions(), fresh) == (.string("new-id"), 0))
    #expect(said(PlanOptions(), "{}") == (nil, 1))
    var options = PlanOptions()
    options.onUnresolved = .recorded
    #expect(said(options, "{}") == (.string("old-id"), 1))
    options.correlates = false
    #expect(said(options, fresh) == (.string("old-id"), 0))
  }
}
