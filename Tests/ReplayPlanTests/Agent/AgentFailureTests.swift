import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// What failures do to an agent.
struct `Agent failures` {
  private typealias Reply = AgentSimulation.Reply

  /// The desk conversation in which one step gets another answer.
  private func run(
    _ step: Int, _ reply: AgentSimulation.Reply, onError: AgentPolicy.OnError = .endTurn
  ) -> AgentSimulation {
    let script = Conversation.script(Conversation.desk())
    var policy = AgentPolicy()
    policy.onError = onError
    var agent = AgentSimulation(script, policy: policy) { request, _ in
      switch request.purpose {
      case .step(0): Reply(fields: [HeaderField("mcp-session-id", "s")])
      case .step(step): reply
      case .step(2): Reply(after: nil)
      default: Reply()
      }
    }
    agent.run()
    return agent
  }

  @Test(arguments: [
    (Reply(status: 404, content: #""error":{"code":-32600}"#), Outcome.sessionLost),
    (Reply(status: 404, content: #""error":{"code":-32600}"#, id: "null"), .sessionLost),
    (
      Reply(status: 400, content: #""error":{"code":-32600}"#, id: #""server-error""#),
      .jsonrpcError
    ),
    (Reply(content: #""error":{"code":-32602}"#), .jsonrpcError),
    (Reply(status: 500, content: ""), .httpError), (Reply(status: 202, content: ""), .httpError),
    (Reply(content: ""), .transportError),
    (Reply(status: 0, content: "", fails: true), .transportError),
    (Reply(content: #""result":{"isError":true}"#), .toolError),
    (Reply(content: #""result":{"isError":false}"#), .ok), (Reply(after: nil), .timeout),
  ])
  private func `an answer has the first outcome that applies`(
    _ reply: AgentSimulation.Reply, _ outcome: Outcome
  ) {
    let agent = run(3, reply)
    #expect(agent.records.first { $0.step == 3 }?.outcome == outcome)
    #expect(agent.end != nil)
  }

  @Test func `a failed call does not stop the next turn`() {
    let agent = run(4, Reply(status: 500, content: ""))
    #expect(agent.records.map(\.outcome) == [.ok, .ok, .httpError, .ok, .ok])
    #expect(agent.omitted.isEmpty)
  }

  @Test func `what waited in the turn of a failed call is left out`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let call = lines.call("a", t: 0, turn: 1)
    let answer = lines.answer(call, t: 10)
    lines.request("tools/list", t: 20, after: [answer]) { $0.turn = 1 }
    lines.call("b", t: 30, turn: 2, after: [answer])
    var agent = AgentSimulation(Conversation.script(lines.events)) { request, _ in
      request.purpose == .step(0) ? Reply(status: 500, content: "") : Reply()
    }
    agent.run()
    #expect(agent.requests.map(\.purpose) == [.step(0), .step(2)])
  }

  @Test func `a session ends where the policy says so, with its DELETE`() {
    let agent = run(4, Reply(status: 500, content: ""), onError: .endSession)
    #expect(agent.omitted == [5: .afterError, 6: .afterError])
    #expect(agent.requests.last?.head.hasPrefix("DELETE /mcp ") == true)
    #expect(agent.end == AgentEnd(isChainExact: false, lostSession: false))
  }

  @Test func `a lost session ends at once and is not deleted`() {
    let agent = run(3, Reply(status: 404, content: ""))
    #expect(agent.omitted == [4: .afterError, 5: .afterError, 6: .afterError])
    #expect(agent.requests.last?.purpose == .step(3))
    #expect(agent.end == AgentEnd(isChainExact: false, lostSession: true))
  }

  @Test func `a call is repeated with pauses that grow`() {
    let script = Conversation.script(Conversation.desk())
    var policy = AgentPolicy()
    policy.onError = .retry(2)
    var agent = AgentSimulation(script, policy: policy) { request, count in
      if request.purpose == .step(2) { return Reply(after: nil) }
      return request.purpose == .step(3) && count < 2 ? Reply(status: 503, content: "") : Reply()
    }
    agent.run()
    let tries = agent.requests.filter { $0.purpose == .step(3) }
    #expect(zip(tries, tries.dropFirst()).map { $1.at - $0.at } == [1_000_000_000, 2_000_000_000])
    #expect(Set(tries.compactMap { $0.body["id"]?.int }).count == 3)
    #expect(agent.records.filter { $0.step == 3 }.map(\.outcome) == [.ok])
  }

  @Test func `a client that gives up says so`() {
    let agent = run(3, Reply(after: nil))
    let notice = agent.requests.first { $0.purpose == .cancelNotice(3) }
    #expect(notice?.body["method"] == .string("notifications/cancelled"))
    #expect(
      notice?.body["params"]?["requestId"]
        == agent.requests.first { $0.purpose == .step(3) }?.body["id"])
    let record = agent.records.first { $0.step == 3 }
    #expect(record.map { $0.done - $0.sent } == 60_000_000_000)
  }

  @Test func `what was given up in the recording is given up again, at that age`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let call = lines.call("slow", t: 100, turn: 1)
    lines.notification(
      "notifications/cancelled", t: 5_000_100, done: 5_000_200,
      params: #"{"requestId":1,"reason":"enough"}"#)
    lines.answer(call, t: 6_000_000, .cancelled) { $0.by = .client }
    var options = PlanOptions()
    options.thinkScale = 0.1
    options.arrivalScale = 0.1
    var agent = AgentSimulation(Conversation.script(lines.events), options: options) { request, _ in
      request.purpose == .step(0) ? Reply(after: nil) : Reply()
    }
    agent.run()
    #expect(agent.records.map(\.outcome) == [.cancelled])
    #expect(agent.requests.map(\.at) == [0, 5_000_000])
    #expect(agent.requests.last?.body["params"]?.text == #"{"requestId":1,"reason":"enough"}"#)
  }

  @Test func `a cancellation is not sent when the answer came first`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let call = lines.call("slow", t: 0, turn: 1)
    lines.notification(
      "notifications/cancelled", t: 5_000_000, done: 5_000_200, params: #"{"requestId":1}"#)
    lines.answer(call, t: 6_000_000, .cancelled)
    var agent = AgentSimulation(Conversation.script(lines.events)) { _, _ in Reply() }
    agent.run()
    #expect(agent.requests.count == 1)
    #expect(agent.records.map(\.outcome) == [.ok])
  }

  @Test func `a modern client gives up by closing`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("slow", t: 0, turn: 1) {
      $0.headers = [HeaderField("mcp-protocol-version", "2026-07-28")]
    }
    var agent = AgentSimulation(Conversation.script(lines.events)) { _, _ in Reply(after: nil) }
    agent.run()
    #expect(agent.abandoned == [1])
    #expect(agent.requests.count == 1)
    #expect(agent.records.map(\.outcome) == [.timeout])
  }

  @Test func `an initialize that takes too long is not cancelled by a message`() {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { _, _ in Reply(after: nil) }
    agent.run()
    #expect(agent.requests.map(\.purpose) == [.step(0)])
    #expect(agent.abandoned == [1])
    #expect(agent.records.map(\.outcome) == [.timeout])
  }
}
