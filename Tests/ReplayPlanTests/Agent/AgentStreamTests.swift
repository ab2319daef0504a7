import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Streams that end before they have said all.
struct `Agent streams` {
  private typealias Reply = AgentSimulation.Reply

  /// The desk conversation in a session; its stream is step 2 and its DELETE step 7.
  private func run(
    _ serve: @escaping (AgentSimulation.Request, Int) -> AgentSimulation.Reply
  ) -> AgentSimulation {
    var agent = AgentSimulation(Conversation.script(Conversation.desk())) { request, count in
      var reply = serve(request, count)
      if request.purpose == .step(0) { reply.fields = AgentSimulation.session }
      return reply
    }
    agent.run()
    return agent
  }

  @Test func `a request's stream that ended early is taken up where it stopped`() {
    let agent = run { request, _ in
      switch request.purpose {
      case .step(2): Reply(after: nil)
      case .step(3): Reply(content: "", eventID: "7")
      default: Reply()
      }
    }
    let resumed = agent.requests.first { $0.purpose == .resume(3) }
    #expect(resumed?.header("last-event-id") == "7")
    #expect(resumed?.header("mcp-session-id") == "live")
    #expect(resumed?.head.hasPrefix("GET /mcp ") == true)
    #expect(agent.records.first { $0.step == 3 }?.outcome == .ok)
  }

  @Test func `the session's stream is taken up after the server's time`() {
    let agent = run { request, count in
      switch request.purpose {
      case .step(2): Reply(content: "", eventID: "1", retry: 300)
      case .resume(2): count == 2 ? Reply(after: nil) : Reply(content: "", eventID: "b\(count)")
      default: Reply()
      }
    }
    let opened = agent.requests.filter { [.step(2), .resume(2)].contains($0.purpose) }
    #expect(opened.map { $0.header("last-event-id") } == [nil, "1", "b0", "b1"])
    #expect(
      zip(opened, opened.dropFirst()).map { $1.at - $0.at }
        == [300, 300, 300].map { $0 * 1_000_000 })
  }

  @Test func `a stream without events is taken up twice, a second later`() {
    let agent = run { _, _ in Reply() }
    let opened = agent.requests.filter { [.step(2), .resume(2)].contains($0.purpose) }
    #expect(opened.map { $0.header("last-event-id") } == [nil, nil, nil])
    #expect(
      zip(opened, opened.dropFirst()).map { $1.at - $0.at } == [1_000_000_000, 1_000_000_000])
  }

  @Test func `what is no stream is not taken up`() {
    let agent = run { request, _ in
      request.purpose == .step(2) ? Reply(status: 405, content: "") : Reply()
    }
    #expect(!agent.requests.contains { $0.purpose == .resume(2) })
  }

  @Test(arguments: [4_960_000_000, 5_200_000_000])
  func `nothing is taken up in a session that was deleted`(_ life: Int64) {
    let agent = run { request, _ in
      switch request.purpose {
      // Ends before the DELETE, to be taken up after it, or while it is on its way.
      case .step(2): Reply(after: life, content: "", eventID: "1", retry: 900)
      case .step(7): Reply(after: 3_000_000_000)
      default: Reply()
      }
    }
    #expect(agent.requests.last?.purpose == .step(7))
    #expect(agent.end == AgentEnd(isChainExact: true, lostSession: false))
  }

  @Test func `a server that gave no session gets no DELETE`() {
    var agent = AgentSimulation(Conversation.script(Conversation.desk())) { _, _ in Reply() }
    agent.run()
    #expect(!agent.requests.contains { $0.head.hasPrefix("DELETE ") })
    #expect(agent.end == AgentEnd(isChainExact: true, lostSession: false))
  }

  /// A session that ends with the client listening, for 500 ns from 120 on.
  private static var listening: SessionScript {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let done = lines.answer(lines.call("work", t: 0, turn: 1), t: 20)
    let listen = lines.request("subscriptions/listen", t: 120, after: [done])
    lines.answer(listen, t: 620, .cancelled) { $0.by = .client }
    return Conversation.script(lines.events)
  }

  @Test(arguments: [(1.0, 620), (0.5, 320)] as [(Double, Int64)])
  func `a client that ends listening listens as long as it did`(_ scale: Double, _ end: Int64) {
    var options = PlanOptions()
    options.thinkScale = scale
    var agent = AgentSimulation(Self.listening, options: options) { request, _ in
      // A head and nothing more is said.
      request.purpose == .step(1) ? Reply(after: nil, endpoint: "/") : Reply(after: 20)
    }
    agent.run()
    #expect(agent.now == end)
    #expect(agent.records.last?.outcome == .cancelled)
    #expect(AgentScript(Self.listening, options).timing.length == end)
  }

  @Test func `nobody leaves before being let in, unless that takes too long`() {
    var policy = AgentPolicy()
    policy.callTimeout = 9000
    var agent = AgentSimulation(Self.listening, policy: policy) { request, _ in
      Reply(after: request.purpose == .step(1) ? nil : 20)
    }
    agent.run()
    #expect(agent.now == 120 + 9000)
    #expect(agent.end?.isChainExact == true)
  }
}
