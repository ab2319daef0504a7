import Basics
import MCP
import ReplayPlan
import TestKit
import Testing
import Trace

/// Sessions over HTTP+SSE (2024-11-05).
struct `Agent channel` {
  private typealias Reply = AgentSimulation.Reply

  /// Opens its stream, shakes hands, calls `ask`, which the server asks back about, and `find`.
  private static func script() -> SessionScript {
    var lines = SessionLines("s1", start: 0, by: .sseEndpoint)
    lines.stream(t: 0, after: [])
    let hello = lines.request("initialize", t: 30, params: Conversation.initialize)
    let welcome = lines.answer(hello, t: 40)
    lines.notification("notifications/initialized", t: 50, done: 52, after: [welcome])
    let ask = lines.call("ask", t: 100, turn: 1, after: [welcome])
    let asked = lines.answer(ask, t: 130)
    lines.call("find", t: 200, turn: 2, after: [asked])
    return Conversation.script(lines.events)
  }

  private static func endpoint(_ text: String) -> Reply {
    Reply(after: nil, endpoint: text)
  }

  @Test(arguments: [
    ("/m?s=1", "/m?s=1"), ("http://t:80/m/?s=2", "/m/?s=2"), ("m", "/m"), ("?s=3", "/sse?s=3"),
  ])
  func `posts to the address that the stream tells, and hears the answers there`(
    _ text: String, _ path: String
  ) {
    var agent = AgentSimulation(Self.script()) { request, _ in
      request.purpose == .step(0)
        ? Self.endpoint(text) : Reply(after: 1, status: 202, onStreamAfter: 20)
    }
    agent.run()
    #expect(agent.end?.isChainExact == true)
    #expect(
      agent.requests.map { $0.head.prefix { $0 != "\r\n" } } == [
        "GET /sse HTTP/1.1", "POST \(path) HTTP/1.1", "POST \(path) HTTP/1.1",
        "POST \(path) HTTP/1.1", "POST \(path) HTTP/1.1",
      ])
    // Recorded offset 30, then think times 10 and 60 after answers 20 later, 70 after the call's.
    #expect(agent.requests.map(\.at) == [0, 30, 60, 110, 200])
    #expect(agent.records.map(\.outcome) == [.ok, .ok, .ok])
    #expect(agent.records.map(\.done) == [50, 130, 220])
    #expect(agent.requests.allSatisfy { $0.header("mcp-protocol-version") == nil })
  }

  @Test(arguments: [400, 404, 405, 406])
  func `a server without such a stream is spoken to over Streamable HTTP`(status: Int) {
    var agent = AgentSimulation(Self.script()) { request, _ in
      request.purpose == .step(0) ? Reply(after: 5, status: status, content: "") : Reply(after: 20)
    }
    agent.run()
    #expect(agent.end?.isChainExact == true)
    #expect(agent.requests.dropFirst().allSatisfy { $0.head.hasPrefix("POST /sse HTTP/1.1") })
    #expect(
      agent.requests.last?.header("accept") == "application/json, text/event-stream")
  }

  @Test func `without an address nothing is sent`() {
    for reply in [
      Reply(after: 5, status: 503, content: ""), Reply(after: 5, fails: true), Reply(after: 5),
      Self.endpoint("http://elsewhere/m"), Self.endpoint("/a b"),
    ] {
      var agent = AgentSimulation(Self.script()) { _, _ in reply }
      agent.run()
      #expect(agent.requests.count == 1)
      #expect(agent.omitted.values.allSatisfy { $0 == .afterError })
      #expect(agent.omitted.count == 2)
      #expect(agent.end?.isChainExact == false)
    }
  }

  @Test func `a stream that ends takes the session along`() {
    var agent = AgentSimulation(Self.script()) { request, _ in
      switch request.purpose {
      case .step(0): Reply(after: 150, content: "", endpoint: "/m")
      case .step(1): Reply(after: 1, status: 202, onStreamAfter: 20)
      default: Reply(after: 1, status: 202, content: "")
      }
    }
    agent.run()
    #expect(agent.records.map(\.outcome) == [.ok, .transportError])
    #expect(agent.omitted == [4: .afterError])
    #expect(agent.end?.lostSession == true)
  }

  @Test func `an answer that does not come is waited for, and cancelled by a notice`() {
    var policy = AgentPolicy()
    policy.callTimeout = 1000
    var agent = AgentSimulation(Self.script(), policy: policy) { request, _ in
      switch request.purpose {
      case .step(0): Self.endpoint("/m")
      case .step(3): Reply(after: 1, status: 202, content: "")
      default: Reply(after: 1, status: 202, onStreamAfter: 20)
      }
    }
    agent.run()
    #expect(agent.records.map(\.outcome) == [.ok, .timeout, .ok])
    #expect(agent.requests.contains { $0.purpose == .cancelNotice(3) })
    #expect(agent.abandoned.isEmpty)
  }

  @Test func `a target that takes an initialize there gets no such stream`() {
    var spoken = SpokenRevisions()
    spoken.withSessions = .speaks(Revision("2025-11-25"))
    var agent = AgentSimulation(Self.script().told(to: spoken)) { _, _ in Reply(after: 20) }
    agent.run()
    #expect(agent.end?.isChainExact == true)
    #expect(agent.requests.map { String($0.head.prefix(4)) } == ["POST", "POST", "POST", "POST"])
  }
}
