import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// What a script takes from a trace.
struct Scripts {
  @Test func `a repetition after a 401 belongs to its call`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let first = lines.call("a", t: 0, turn: 1)
    lines.answer(first, t: 10, .httpError) { $0.status = 401 }
    let again = lines.call("a", t: 50, turn: 1) { $0.retryOf = first }
    let answer = lines.answer(again, t: 90)
    lines.call("b", t: 100, turn: 2, after: [answer])
    let script = Conversation.script(lines.events)
    #expect(script.steps.map(\.tool) == ["a", "b"])
    #expect(script.steps[0].outcome == .ok)
    #expect(script.steps[0].service == 90)
    #expect(script.steps[1].after == [0])
    #expect(script.steps[1].think == 10)
  }

  @Test func `a round without request state belongs to the question that has its keys`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    func asks(_ name: String, t: Int64, _ rest: String = "") -> Int {
      let call = lines.call(name, t: t, turn: 1) {
        $0.params = JSONValue(parsing: #"{"name":"\#(name)"\#(rest)}"#).map { RawJSON($0) }
      }
      lines.answer(
        call, t: t + 10,
        result: #"{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}"#)
      return call
    }
    let said = #","inputResponses":{"k":{"roots":[]}}"#
    _ = asks("a", t: 0)
    _ = asks("b", t: 20)
    _ = asks("a", t: 100, said)
    _ = asks("a", t: 200, said)
    _ = asks("b", t: 300, #","inputResponses":{"x":{}}"#)
    let script = Conversation.script(lines.events)
    #expect(script.steps.map(\.tool) == ["a", "b", "b"])
    #expect(script.steps.map { $0.rounds.map(\.think) } == [[90, 90], [], []])
    #expect(script.steps[0].rounds[0].answers.map(\.method) == ["roots/list"])
  }

  @Test func `a session joined in the middle gets a handshake of its own`() {
    var lines = SessionLines("s1", start: 1000)
    lines.call("a", t: 0, turn: 1)
    let script = Conversation.script(lines.events)
    #expect(
      script.steps.map(\.method) == ["initialize", "notifications/initialized", "tools/call"])
    #expect(script.steps[2].gates == [0, 1])
  }

  @Test func `sessions over other transports are counted and left out`() {
    var line = SessionLine(session: "s1", t: 0, transport: .httpSSE)
    line.start = .seen
    let traffic = Conversation.traffic([.session(line)] + Conversation.desk("s2", at: 9))
    #expect(traffic.unsupported == ["http+sse": 1])
    #expect(traffic.scripts.map(\.name) == ["s2"])
    #expect(traffic.scripts.map(\.start) == [0])
  }

  @Test func `a server's question is no step`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let asked = lines.request("roots/list", t: 0) { $0.dir = .s2c }
    lines.answer(asked, t: 5, result: #"{"roots":[]}"#) { $0.dir = .c2s }
    lines.request("ping", t: 9)
    let script = Conversation.script(lines.events)
    #expect(script.steps.map(\.method) == ["ping"])
    #expect(script.serverAnswers["roots/list"]?.map(\.content.text) == [#"{"roots":[]}"#])
  }

  @Test func `a resumed stream is the server's affair and not replayed`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.request("ping", t: 0)
    lines.stream(t: 5, after: [])
    let events = lines.events.map { event -> TraceEvent in
      guard case .http(var line) = event else { return event }
      line.lastEventID = "3"
      return .http(line)
    }
    #expect(Conversation.script(events).steps.map(\.kind) == [.request])
  }
}
