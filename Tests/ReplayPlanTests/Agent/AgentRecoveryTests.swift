import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// What agents do that take up a lost session anew.
struct `Agent recovery` {
  private typealias Reply = AgentSimulation.Reply
  private typealias Purpose = Transmission.Purpose

  private static let second: Int64 = 1_000_000_000
  private static let lost = AgentSimulation.Reply(
    after: 10, status: 404, content: #""error":{"code":-32600}"#)

  /// The desk conversation; calls are answered as the test says, by whether they name the first session.
  private func run(
    greeting: @escaping (Int) -> AgentSimulation.Reply? = { _ in nil },
    calls: @escaping (Transmission.Purpose, Bool) -> AgentSimulation.Reply
  ) -> AgentSimulation {
    var policy = AgentPolicy()
    policy.onSessionLoss = .reinitialize
    var agent = AgentSimulation(Conversation.script(Conversation.desk()), policy: policy) {
      request, count in
      switch request.purpose {
      case .step(0): Reply(fields: [HeaderField("mcp-session-id", "first")])
      case .recovery(0):
        greeting(count) ?? Reply(after: 5, fields: [HeaderField("mcp-session-id", "next\(count)")])
      case .step(1), .recovery(1): Reply(after: 5, status: 202, content: "")
      case .step(2), .resume(2): Reply(after: nil)
      default: calls(request.purpose, request.header("mcp-session-id") == "first")
      }
    }
    agent.run()
    return agent
  }

  @Test func `the client says hello again and goes on`() {
    let agent = run { _, isFirst in isFirst ? Self.lost : Reply() }
    let purposes = agent.requests.map(\.purpose)
    let again: [Purpose] = [.recovery(0), .recovery(1), .resume(2), .step(4), .step(5), .step(6)]
    #expect(purposes == [.step(0), .step(1), .step(2), .step(3)] + again + [.step(7)])
    #expect(agent.requests[4].at - agent.requests[3].at == Self.second + 10)
    #expect(agent.requests[4].header("mcp-session-id") == nil)
    #expect(agent.requests[5...].allSatisfy { $0.header("mcp-session-id") == "next0" })
    #expect(Set(agent.requests.compactMap { $0.body["id"]?.int }).count == 6)
    #expect(agent.records.map(\.step) == [0, 3, 4, 5, 6])
    #expect(agent.records.map(\.outcome) == [.ok, .sessionLost, .ok, .ok, .ok])
    #expect(agent.abandoned.count == 1)
    #expect(agent.end == AgentEnd(isChainExact: true, lostSession: false))
  }

  @Test func `what is due meanwhile waits, and is due then`() {
    let agent = run { count in
      Reply(after: 5 * Self.second, fields: [HeaderField("mcp-session-id", "next\(count)")])
    } calls: { _, isFirst in
      isFirst ? Self.lost : Reply()
    }
    let back = agent.requests.first { $0.purpose == .resume(2) }?.at ?? 0
    let calls = agent.records.filter { $0.step == 4 || $0.step == 5 }
    #expect(calls.map(\.due) == [back, back] && calls.map(\.sent) == [back, back])
    #expect(calls.map(\.thinkError) == [0, 0])
    #expect(agent.end == AgentEnd(isChainExact: true, lostSession: false))
  }

  @Test func `what was in flight is lost with it, without a second handshake`() {
    let agent = run { purpose, isFirst in
      guard isFirst, purpose != .step(3) else { return Reply() }
      var late = Self.lost
      // That of the second comes when the new session is there.
      late.after = purpose == .step(5) ? 3 * Self.second : Self.second / 10
      return late
    }
    #expect(agent.records.map(\.outcome) == [.ok, .ok, .sessionLost, .sessionLost, .ok])
    #expect(agent.requests.count { $0.purpose == .recovery(0) } == 1)
    #expect(agent.end == AgentEnd(isChainExact: true, lostSession: false))
  }

  /// Twelve calls one after another, in steps 1 to 12.
  private func work(_ reply: @escaping (Int) -> AgentSimulation.Reply) -> AgentSimulation {
    var lines = SessionLines("s1", start: 0)
    let hello = lines.request("initialize", t: 0, params: Conversation.initialize)
    var last = lines.answer(hello, t: 5)
    for turn in 1...12 {
      let call = lines.call("work", t: Int64(turn) * 100, turn: turn, after: [last])
      last = lines.answer(call, t: Int64(turn) * 100 + 5)
    }
    var policy = AgentPolicy()
    policy.onSessionLoss = .reinitialize
    var agent = AgentSimulation(Conversation.script(lines.events), policy: policy) { request, _ in
      guard case .step(let i) = request.purpose, i > 0 else {
        return Reply(fields: AgentSimulation.session)
      }
      return reply(i)
    }
    agent.run()
    return agent
  }

  @Test func `an agent gives up after three handshakes in a row`() {
    let agent = work { _ in Self.lost }
    #expect(agent.requests.count { $0.purpose == .recovery(0) } == 3)
    #expect(agent.records.map(\.outcome) == [.ok] + Array(repeating: .sessionLost, count: 4))
    #expect(agent.omitted.count == 8)
    #expect(agent.end == AgentEnd(isChainExact: false, lostSession: true))
  }

  @Test func `a server that refuses handshakes is asked three times`() {
    let agent = run { _ in
      Reply(after: 5, status: 503, content: "")
    } calls: { _, _ in
      Self.lost
    }
    let tries = agent.requests.filter { $0.purpose == .recovery(0) }
    #expect(
      zip(tries, tries.dropFirst()).map { $1.at - $0.at }
        == [2 * Self.second + 5, 4 * Self.second + 5])
    #expect(agent.omitted == [4: .afterError, 5: .afterError, 6: .afterError])
    #expect(agent.requests.last?.purpose == .recovery(0))
    #expect(agent.end == AgentEnd(isChainExact: false, lostSession: true))
  }

  @Test func `an answer in the new session lets handshakes count anew`() {
    let agent = work { $0 % 2 == 0 ? Self.lost : Reply() }
    #expect(agent.records.count { $0.outcome == .sessionLost } == 6)
    // The last call is lost too, and there is nothing to go on for.
    #expect(agent.requests.count { $0.purpose == .recovery(0) } == 5)
    #expect(agent.end?.isChainExact == true)
  }

  @Test func `a stop in between ends the agent`() {
    var policy = AgentPolicy()
    policy.onSessionLoss = .reinitialize
    for how in [AgentStop.drain, .now, .duration] {
      var agent = AgentSimulation(Conversation.script(Conversation.desk()), policy: policy) {
        request, _ in
        switch request.purpose {
        case .step(0): Reply(fields: AgentSimulation.session)
        case .recovery, .step(2): Reply(after: nil)
        case .step(1): Reply(status: 202, content: "")
        default: Self.lost
        }
      }
      agent.run(stop: (4 * Self.second, how))
      #expect(agent.omitted.keys.sorted() == [4, 5, 6])
      #expect(agent.end?.lostSession == true)
      #expect(agent.requests.last?.purpose == .recovery(0))
    }
  }

  @Test func `an HTTP+SSE session is opened anew with its stream`() {
    var lines = SessionLines("s1", start: 0, by: .sseEndpoint)
    lines.stream(t: 0, after: [])
    let hello = lines.request("initialize", t: 10, params: Conversation.initialize)
    let welcome = lines.answer(hello, t: 20)
    lines.notification("notifications/initialized", t: 30, done: 32, after: [welcome])
    let call = lines.call("a", t: 1000, turn: 1, after: [welcome])
    let answer = lines.answer(call, t: 1010)
    lines.call("b", t: 2000, turn: 2, after: [answer])
    var policy = AgentPolicy()
    policy.onSessionLoss = .reinitialize
    var agent = AgentSimulation(Conversation.script(lines.events), policy: policy) { request, _ in
      switch request.purpose {
      // The first stream ends before the second call.
      case .step(0): Reply(after: 1500, content: "", endpoint: "/say?1")
      case .recovery(0): Reply(after: nil, endpoint: "/say?2")
      default: Reply(status: 202, onStreamAfter: 5)
      }
    }
    agent.run()
    #expect(
      agent.requests.filter { $0.head.hasPrefix("GET") }.map(\.purpose) == [.step(0), .recovery(0)])
    #expect(agent.requests.last?.head.hasPrefix("POST /say?2 ") == true)
    #expect(agent.end?.lostSession == false)
  }
}
