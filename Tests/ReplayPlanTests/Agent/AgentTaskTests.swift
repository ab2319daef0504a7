import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Calls that are answered with a task.
struct `Agent tasks` {
  private typealias Reply = AgentSimulation.Reply

  private static func handle(_ id: String, _ status: String = "working") -> String {
    #"{"task":{"taskId":"\#(id)","status":"\#(status)","pollInterval":0}}"#
  }

  /// A call with a task: another call meanwhile, three polls 500 apart, the result; then one more call. Nanoseconds.
  private static func recording(_ last: Outcome = .ok) -> [TraceEvent] {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let dig = lines.call("dig", t: 0, turn: 1) {
      $0.params = JSONValue(parsing: #"{"name":"dig","task":{"ttl":1}}"#).map { RawJSON($0) }
    }
    var before = lines.answer(dig, t: 10, result: handle("old"))
    let look = lines.call("look", t: 50, turn: 2, after: [before])
    before = lines.answer(look, t: 60)
    for k in 0..<3 {
      let t = Int64(100 + 500 * k)
      let poll = lines.request("tasks/get", t: t, params: #"{"taskId":"old"}"#, after: [before])
      before = lines.answer(
        poll, t: t + 5,
        result: #"{"taskId":"old","status":"\#(k < 2 ? "working" : "completed")","pollInterval":0}"#
      )
    }
    let result = lines.request(
      "tasks/result", t: 1200, params: #"{"taskId":"old"}"#, after: [before])
    before = lines.answer(result, t: 1210, last)
    lines.call("next", t: 1300, turn: 3, after: [before])
    return lines.events
  }

  /// A server whose task is over after so many polls; each of its answers takes 10.
  private static func server(
    polls: Int, end: String = "completed", interval: String = #","pollInterval":1"#,
    result: String = #""result":{"content":[]}"#
  ) -> (AgentSimulation.Request, Int) -> AgentSimulation.Reply {
    { request, count in
      switch (request.body["method"]?.string, request.body["params"]?["name"]?.string) {
      case ("tools/call", "dig"): Reply(after: 10, content: #""result":\#(handle("live"))"#)
      case ("tasks/get", _):
        Reply(
          after: 10,
          content:
            #""result":{"taskId":"live","status":"\#(count + 1 < polls ? "working" : end)"\#(interval)}"#
        )
      case ("tasks/result", _): Reply(after: 10, content: result)
      default: Reply(after: 10)
      }
    }
  }

  @Test func `polls of one loop are one step, and belong to the call`() {
    let script = Conversation.script(Self.recording(.toolError))
    #expect(
      script.steps.map(\.method) == [
        "tools/call", "tools/call", "tasks/get", "tasks/result", "tools/call",
      ])
    #expect(script.steps.map(\.isPoll) == [false, false, true, false, false])
    #expect(script.steps[0].taskEnd == 3)
    #expect(script.steps[0].outcome == .toolError)
    #expect(script.steps[2...3].map(\.taskOf) == [0, 0])
    #expect(script.steps[2].service == 1005)
    #expect(script.steps[3].after == [2])
    #expect(script.calls == 3)
  }

  @Test(arguments: [1, 2, 7])
  func `a task is polled at the server's pace until it is over`(_ polls: Int) {
    var agent = AgentSimulation(
      Conversation.script(Self.recording()), serve: Self.server(polls: polls))
    agent.run()
    let methods = agent.requests.map {
      $0.body["params"]?["name"]?.string ?? $0.body["method"]?.string
    }
    let loop = Array(repeating: "tasks/get", count: polls)
    #expect(methods == ["dig", "look"] + loop + ["tasks/result", "next"])
    // The other call waits for the handle alone; the first poll comes as it did, the rest at the interval of 1 ms.
    let millisecond: Int64 = 1_000_000
    let last = 100 + Int64(polls - 1) * (millisecond + 10) + 10
    #expect(agent.requests[1].at == 50)
    #expect(
      agent.requests[2..<(2 + polls)].map(\.at)
        == (0..<polls).map { 100 + Int64($0) * (millisecond + 10) })
    #expect(agent.repeated.count == polls - 1)
    #expect(agent.requests.suffix(2).map(\.at) == [last + 95, last + 95 + 10 + 90])
    let ids = agent.requests[2...(2 + polls)].map { $0.body["params"]?["taskId"]?.string }
    #expect(ids.allSatisfy { $0 == "live" })
    // The call is recorded once, when its result is there.
    let call = agent.records.filter { $0.step == 0 }
    #expect(call.map(\.outcome) == [.ok])
    #expect(call.map(\.done) == [last + 95 + 10])
    #expect(call.map(\.sent) == [0])
  }

  @Test func `the task is this clone's own even without correlation`() {
    var options = PlanOptions()
    options.correlates = false
    var agent = AgentSimulation(
      Conversation.script(Self.recording()), options: options, serve: Self.server(polls: 1))
    agent.run()
    #expect(agent.requests[2].body["params"]?["taskId"] == .string("live"))
  }

  @Test func `the result decides how the call ended`() {
    var agent = AgentSimulation(
      Conversation.script(Self.recording()),
      serve: Self.server(polls: 1, end: "failed", result: #""result":{"isError":true}"#))
    agent.run()
    #expect(agent.records.filter { $0.step == 0 }.map(\.outcome) == [.toolError])
  }

  @Test func `a task that does not end is waited for as long as it took and the time-out more`() {
    var policy = AgentPolicy()
    policy.callTimeout = 20_000_000
    var agent = AgentSimulation(
      Conversation.script(Self.recording()), policy: policy, serve: Self.server(polls: .max))
    agent.run()
    let call = agent.records.first { $0.step == 0 }
    #expect(call?.outcome == .timeout)
    #expect(agent.repeated.count == 20)
    let done = call?.done ?? 0
    #expect(done > 19_000_000 && done <= 20_000_000 + 1005 + 110)
    #expect(!agent.requests.contains { $0.body["method"]?.string == "tasks/result" })
    #expect(agent.requests.last?.body["params"]?["name"] == .string("next"))
    #expect(agent.end != nil)
  }

  @Test func `a server that answers at once is not asked after a task`() {
    var agent = AgentSimulation(Conversation.script(Self.recording())) { _, _ in Reply(after: 10) }
    agent.run()
    #expect(agent.requests.map { $0.body["params"]?["name"]?.string } == ["dig", "look", "next"])
    #expect(agent.records.map(\.outcome) == [.ok, .ok, .ok])
    #expect(agent.unresolved.isEmpty)
  }

  @Test func `a call whose task is not over is in flight when the agent stops`() {
    var agent = AgentSimulation(
      Conversation.script(Self.recording()), serve: Self.server(polls: 3))
    agent.run(stop: (20, .drain))
    #expect(agent.records.filter { $0.step == 0 }.map(\.outcome) == [.ok])
    #expect(Set(agent.omitted.keys) == [1, 4])
    var other = AgentSimulation(
      Conversation.script(Self.recording()), serve: Self.server(polls: 3))
    other.run(stop: (500_000, .now))
    #expect(other.records.filter { $0.step == 0 }.map(\.outcome) == [.unanswered])
    #expect(other.end != nil)
  }

  @Test func `a task of the extension may come where there was none`() {
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let make = lines.call("make", t: 0, turn: 1) {
      $0.params = JSONValue(parsing: #"{"name":"make",\#(meta)}"#).map { RawJSON($0) }
      $0.headers = [HeaderField("Mcp-Param-X", "1")]
    }
    let made = lines.answer(make, t: 10, result: #"{"structuredContent":{"id":"old-id"}}"#)
    lines.call("use", t: 20, turn: 2, after: [made]) {
      $0.params = JSONValue(parsing: #"{"name":"use","arguments":{"id":"old-id"},\#(meta)}"#)
        .map { RawJSON($0) }
      $0.uses = JSONValue(
        parsing: #"[{"at":"/arguments/id","from":\#(made),"path":"/structuredContent/id"}]"#)
    }
    var agent = AgentSimulation(Conversation.script(lines.events)) { request, count in
      guard request.purpose == .step(0) else { return Reply() }
      let result =
        switch count {
        case 0: #"{"resultType":"task","taskId":"t-1","status":"working","pollIntervalMs":2}"#
        case 1: #"{"taskId":"t-1","status":"working","pollIntervalMs":3}"#
        default:
          #"{"taskId":"t-1","status":"completed","result":{"structuredContent":{"id":"new-id"}}}"#
        }
      return Reply(content: #""result":\#(result)"#)
    }
    agent.run()
    #expect(agent.requests.map(\.at) == [0, 2_000_000, 5_000_000, 5_000_010])
    let poll = agent.requests[1]
    #expect(poll.body["params"]?.text == #"{"taskId":"t-1",\#(meta)}"#)
    #expect(poll.header("mcp-method") == "tasks/get")
    #expect(poll.header("mcp-name") == "t-1")
    #expect(poll.header("mcp-param-x") == nil)
    #expect(agent.requests[3].body["params"]?["arguments"]?["id"] == .string("new-id"))
    #expect(agent.records.map(\.outcome) == [.ok, .ok])
    #expect(agent.records.map(\.done) == [5_000_000, 5_000_010])
  }
  @Test(arguments: [
    (#""status":"failed","error":{"code":-1,"message":"m"}"#, Outcome.jsonrpcError),
    (#""status":"cancelled""#, .cancelled), (#""status":"input_required""#, .transportError),
    (#""status":"completed""#, .transportError),
  ])
  func `a task that nobody asked after then is no success without its result`(
    _ end: String, _ outcome: Outcome
  ) {
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let make = lines.call("make", t: 0, turn: 1) {
      $0.params = JSONValue(parsing: #"{"name":"make",\#(meta)}"#).map { RawJSON($0) }
    }
    lines.answer(make, t: 10)
    var agent = AgentSimulation(Conversation.script(lines.events)) { _, count in
      let end = count == 0 ? #""resultType":"task","status":"working","pollIntervalMs":2"# : end
      return Reply(content: #""result":{"taskId":"t-1",\#(end)}"#)
    }
    agent.run()
    #expect(agent.records.map(\.outcome) == [outcome])
    #expect(agent.end != nil)
  }

  @Test(arguments: PlanOptions.OnUnresolved.allCases)
  func `input that the recording hides ends a task without one`(
    _ policy: PlanOptions.OnUnresolved
  ) {
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let make = lines.call("make", t: 0, turn: 1) {
      $0.params = JSONValue(parsing: #"{"name":"make",\#(meta)}"#).map { RawJSON($0) }
    }
    let task = #"{"taskId":"t","status":"STATUS"}"#
    var before = lines.answer(
      make, t: 10, result: task.replacing("STATUS", with: "input_required"))
    let update = lines.request(
      "tasks/update", t: 20,
      params: #"{"taskId":"t","inputResponses":{"k":{"content":{"x":"old"}}},\#(meta)}"#,
      after: [before]
    ) { $0.redacted = ["/inputResponses/k/content/x"] }
    before = lines.answer(update, t: 30)
    let get = lines.request(
      "tasks/get", t: 40, params: #"{"taskId":"t",\#(meta)}"#, after: [before])
    lines.answer(get, t: 50, result: task.replacing("STATUS", with: "completed"))
    var options = PlanOptions()
    options.onUnresolved = policy
    var agent = AgentSimulation(Conversation.script(lines.events), options: options) {
      request, _ in
      let isUpdate = request.body["method"]?.string == "tasks/update"
      return Reply(
        content: isUpdate ? #""result":{}"# : #""result":{"taskId":"t","status":"input_required"}"#)
    }
    agent.run(stop: (at: 1_000_000_000_000, how: .now))
    let updates = agent.requests.filter { $0.body["method"]?.string == "tasks/update" }
    #expect(updates.count == (policy == .recorded ? 1 : 0))
    #expect(agent.unresolved.map(\.cause).contains(.redacted))
    #expect(agent.end != nil)
    #expect(agent.now < 1_000_000_000_000)
  }
}
