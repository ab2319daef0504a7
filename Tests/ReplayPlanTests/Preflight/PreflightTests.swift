import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Which calls a preflight sends, and in which sessions.
struct Preflights {
  /// A session that lists its tools, then makes these calls one after another.
  private struct Making {
    var lines: SessionLines
    var last = 0
    private var turn = 0

    init(_ name: String, _ start: Int64) {
      lines = SessionLines(name, start: start)
      let hello = lines.request("initialize", t: 0, params: Conversation.initialize)
      last = lines.answer(hello, t: 5)
      let list = lines.request("tools/list", t: 10, after: [last])
      last = lines.answer(
        list, t: 20,
        result: #"""
          {"tools":[{"name":"find","annotations":{"readOnlyHint":true}},
          {"name":"read","annotations":{"readOnlyHint":true}},{"name":"make"}]}
          """#)
    }

    /// A call; with `from` it takes its id from that answer.
    mutating func call(_ tool: String, _ id: String, from: Int? = nil, ok: Bool = true) -> Int {
      turn += 1
      let t = Int64(turn) * 1_000_000_000
      let call = lines.call(
        tool, t: t, turn: turn, after: [last], arguments: #"{"id":"\#(id)"}"#
      ) {
        guard let from else { return }
        $0.uses = JSONValue(
          parsing:
            #"[{"at":"/arguments/id","from":\#(from),"path":"/structuredContent/id"}]"#)
      }
      last = lines.answer(call, t: t + 10, ok ? .ok : .toolError)
      return last
    }

    mutating func end() -> [TraceEvent] {
      lines.delete(t: 90_000_000_000, done: 90_000_000_001, after: [last])
      return lines.events
    }
  }

  private func traffic() -> RecordedTraffic {
    var one = Making("s1", 0)
    let found = one.call("find", "a")
    _ = one.call("read", "r1", from: found)
    let made = one.call("make", "m")
    _ = one.call("read", "r2", from: made)
    _ = one.call("find", "a")
    _ = one.call("find", "b", ok: false)
    var two = Making("s2", 100)
    _ = two.call("find", "b")
    _ = two.call("find", "a")
    return Conversation.traffic(one.end() + two.end())
  }

  @Test func `each distinct call is there once, where it ended well`() {
    let preflight = Preflight(traffic())
    let calls = preflight.calls.map { place, call in
      "\(preflight.traffic.scripts[place.script].name) \(call.tool) \(call.arguments?.text ?? "") \(call.then?.rawValue ?? "")"
    }
    #expect(
      calls.sorted() == [
        #"s1 find {"id":"a"} ok"#, #"s1 read {"id":"r1"} ok"#, #"s2 find {"id":"b"} ok"#,
      ])
    #expect(preflight.blocked.map { $0.arguments?.text } == [#"{"id":"r2"}"#])
    #expect(preflight.writes == ["make": 1])
  }

  @Test func `calls that a map makes the same are one`() throws {
    var options = PlanOptions()
    options.map = try ValueMap(csv: "find,/arguments/id,b,a")
    let preflight = Preflight(traffic(), options)
    #expect(
      preflight.calls.values.map { $0.arguments?.text ?? "" }.sorted()
        == [#"{"id":"a"}"#, #"{"id":"r1"}"#])
    // The run itself replaces what is sent.
    #expect(preflight.options(agents: 2).map == options.map)
  }

  @Test(arguments: [false, true])
  func `a client that answered questions listens for them`(_ isAsked: Bool) {
    var making = Making("s1", 0)
    making.lines.stream(t: 30, after: [making.last])
    if isAsked {
      let asked = making.lines.request("elicitation/create", t: 40) { $0.dir = .s2c }
      making.lines.answer(asked, t: 50, result: #"{"action":"decline"}"#) { $0.dir = .c2s }
    }
    _ = making.call("find", "a")
    let recorded = Conversation.traffic(making.end())
    let steps = Preflight(recorded).traffic.scripts[0].steps
    let stream = steps.firstIndex { $0.kind == .openStream }
    #expect(stream.map { steps[$0].omission == nil } == isAsked)
    #expect(!steps.contains { step in stream.map { step.after.contains($0) } ?? false })
  }

  @Test func `a session keeps its handshake, its calls with what they need, and its end`() {
    let preflight = Preflight(traffic())
    var agent = AgentSimulation(preflight.traffic.scripts[0]) { request, _ in
      .init(
        after: 5, fields: AgentSimulation.session,
        content: request.body["params"]?["name"] == .string("find")
          ? #""result":{"structuredContent":{"id":"live"}}"# : #""result":{}"#)
    }
    agent.run()
    let sent = agent.requests.map {
      $0.body["params"]?["arguments"]?["id"]?.string ?? $0.body["method"]?.string ?? "DELETE"
    }
    #expect(sent == ["initialize", "a", "live", "DELETE"])
    // Nobody thinks.
    #expect(agent.requests.map(\.at) == [0, 5, 10, 15])
    #expect(agent.omitted.isEmpty)
    #expect(agent.records.map(\.outcome) == [.ok, .ok, .ok])
  }

  @Test func `filters hold, and what needs what they leave out is not sent`() {
    var options = PlanOptions()
    options.skip = [ToolPattern("find")]
    let preflight = Preflight(traffic(), options)
    #expect(preflight.calls.isEmpty && preflight.traffic.scripts.isEmpty)
    #expect(preflight.blocked.map { $0.arguments?.text } == [#"{"id":"r1"}"#, #"{"id":"r2"}"#])
    #expect(preflight.writes == ["make": 1])
  }

  private func result(
    _ outcome: Outcome, _ other: (tool: String, end: PreflightResult.End)? = nil
  ) -> PreflightResult {
    let preflight = Preflight(traffic())
    let ends = preflight.calls.mapValues { call in
      if let other, other.tool == call.tool { return other.end }
      return .sent(.init(outcome: outcome, status: 200, code: nil, message: nil))
    }
    return PreflightResult(preflight, ends)
  }

  @Test func `all that were ok have to be ok`() {
    #expect(result(.ok).isPassed && result(.ok).isComplete && result(.ok).failures.isEmpty)
    #expect(result(.ok).count(then: true, now: true) == 3)
    let failed = result(.toolError)
    #expect(!failed.isPassed && failed.isComplete && failed.failures.count == 3)
    let unresolved = result(.ok, ("read", .unsent(.unresolved)))
    #expect(!unresolved.isPassed && unresolved.isComplete)
    #expect(unresolved.unsent.map(\.call.tool) == ["read"] && unresolved.sent.count == 2)
  }

  @Test func `a target that is gone is no matter of data`() {
    let gone = result(
      .ok,
      ("find", .sent(.init(outcome: .transportError, status: nil, code: nil, message: nil))))
    #expect(!gone.isComplete && !gone.isPassed)
    #expect(gone.failures.isEmpty && gone.unanswered.count == 2)
    for reason in [SkipReason.afterError, nil] {
      let unsent = result(.ok, ("read", .unsent(reason)))
      #expect(!unsent.isComplete && !unsent.isPassed && unsent.unanswered.isEmpty)
    }
  }

  @Test func `what nothing is known of was not sent`() {
    let nothing = PreflightResult(Preflight(traffic()), [:], isInterrupted: true)
    #expect(nothing.unsent.count == 3 && nothing.unsent.allSatisfy { $0.reason == nil })
    #expect(!nothing.isComplete && nothing.isInterrupted)
  }
}
