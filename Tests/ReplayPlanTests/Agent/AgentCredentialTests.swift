import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// What an agent does when its token is refused.
struct `Agent credentials` {
  private typealias Reply = AgentSimulation.Reply

  private static let first = "Bearer one"

  /// The desk conversation; steps that `refuses` names get a 401 as long as they come with the first token.
  private func run(
    refuses: Set<Int>, renewal: Int64 = 50, token fresh: String = "two",
    refusal: AgentSimulation.Reply = Reply(after: 10, status: 401, content: "")
  ) throws -> AgentSimulation {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { request, _ in
      if case .step(let i) = request.purpose, refuses.contains(i),
        request.header("authorization") == Self.first
      {
        return refusal
      }
      switch request.purpose {
      case .step(0): return Reply(fields: AgentSimulation.session)
      case .step(2), .resume(2): return Reply(after: nil)
      default: return Reply(after: 5)
      }
    }
    agent.credential = Credential(try BearerToken(firstLineOf: "one"))
    agent.renew = { [token = try BearerToken(firstLineOf: fresh)] in (renewal, token) }
    agent.run()
    return agent
  }

  @Test func `every request says the token once`() throws {
    let agent = try run(refuses: [])
    #expect(agent.requests.count == 8)
    #expect(agent.requests.allSatisfy { $0.header("authorization") == Self.first })
    #expect(
      agent.requests.allSatisfy { $0.head.components(of: "Authorization:") == 1 })
  }

  @Test func `a refused request is repeated with a fresh token, as one call`() throws {
    let agent = try run(refuses: [3])
    let tries = agent.requests.filter { $0.purpose == .step(3) }
    #expect(tries.map { $0.header("authorization") } == ["Bearer one", "Bearer two"])
    #expect(tries[1].at - tries[0].at == 60)
    #expect(tries[0].body["params"] == tries[1].body["params"])
    #expect(tries[0].body["id"] != tries[1].body["id"])
    let record = try #require(agent.records.first { $0.step == 3 })
    #expect(record.outcome == .ok && record.sent == tries[0].at && record.done == tries[1].at + 5)
    #expect(agent.settled.map(\.outcome) == [.httpError])
    #expect(agent.renewals == 1)
    #expect(agent.records.map(\.outcome) == [.ok, .ok, .ok, .ok, .ok])
    #expect(agent.end == AgentEnd(isChainExact: true, lostSession: false))
  }

  @Test(arguments: 0...7)
  func `whatever is refused is repeated`(_ step: Int) throws {
    let agent = try run(refuses: [step])
    #expect(agent.requests.count { $0.purpose == .step(step) || $0.purpose == .resume(step) } == 2)
    #expect(agent.records.allSatisfy { $0.outcome == .ok })
    #expect(agent.end == AgentEnd(isChainExact: true, lostSession: false))
  }

  @Test func `what is refused again is refused`() throws {
    let agent = try run(refuses: [3], token: "one")
    #expect(agent.requests.count { $0.purpose == .step(3) } == 2)
    #expect(agent.records.first { $0.step == 3 }?.outcome == .httpError)
    #expect(agent.records.first { $0.step == 3 }?.status == 401)
    #expect(agent.renewals == 1)
    #expect(agent.end != nil)
  }

  @Test func `a refusal may say why in JSON-RPC`() throws {
    let agent = try run(
      refuses: [4], refusal: Reply(status: 401, content: #""error":{"code":-32001}"#))
    #expect(agent.records.first { $0.step == 4 }?.outcome == .ok)
    #expect(agent.settled.map(\.outcome) == [.httpError])
  }

  @Test func `an agent without a token takes a 401 for an answer`() throws {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { request, _ in
      request.purpose == .step(3) ? Reply(status: 401, content: "") : Reply()
    }
    agent.run()
    #expect(agent.records.first { $0.step == 3 }?.outcome == .httpError)
    #expect(agent.requests.allSatisfy { $0.header("authorization") == nil })
  }

  @Test func `a round that is refused says its answers again`() throws {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("ask", t: 0, turn: 1) { $0.headers = nil }
    var session = Conversation.script(lines.events)
    session.steps[0].isModern = true
    var agent = AgentSimulation(session) { request, count in
      switch count {
      case 0:
        Reply(content: #""result":{"resultType":"input_required","requestState":"s"}"#)
      case 1: Reply(status: 401, content: "")
      default: Reply()
      }
    }
    agent.credential = Credential(try BearerToken(firstLineOf: "one"))
    agent.renew = { [token = try BearerToken(firstLineOf: "two")] in (0, token) }
    agent.run()
    #expect(
      agent.requests.map { $0.body["params"]?["requestState"]?.string } == [nil, "s", "s"])
    #expect(agent.records.map(\.outcome) == [.ok])
  }
}

extension String {
  /// How often `text` is in it.
  fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
