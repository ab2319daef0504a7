import Analysis
import Basics
import TestKit
import Testing
import Trace

struct `Trace statistics` {
  @Test func `count logical calls apart from all tools call requests`() {
    var script = TraceScript()
    script.answer(script.sdk("initialize", at: 0), at: 1)
    let refused = script.call("pay", at: 100, turn: 1)
    script.answer(refused, at: 105, .httpError)
    let repeated = script.call("pay", at: 110, turn: 1) {
      $0.retryOf = refused
      $0.sent = 112_000_000
    }
    script.answer(repeated, at: 130)
    let figures = TraceStatistics(TraceContents(events: TraceScript.trace(script)))
    #expect(figures.calls == 1)
    #expect(figures.requests == ["initialize": 1, "tools/call": 2])
    #expect(figures.sessions.map(\.toolsCalled) == [["pay", "pay"]])
    #expect(figures.outcomes == [.ok: 1])
    #expect(figures.successRatio == 1)
    #expect(figures.httpRequests == 3)
    // 5 ms for the refusal, 18 ms from the last byte of the repetition.
    #expect(figures.service.max == 23)
  }

  @Test func `leave calls without an answer out of service times and in the outcomes`() {
    var script = TraceScript()
    script.answer(script.call("a", at: 0, turn: 1), at: 10)
    script.answer(script.call("a", at: 1, turn: 1), at: 500, .cancelled)
    script.call("b", at: 2, turn: 1)
    let figures = TraceStatistics(TraceContents(events: script.events))
    #expect(figures.service.count == 1)
    #expect(figures.outcomes == [.ok: 1, .cancelled: 1, .unanswered: 1])
    #expect(figures.tools["a"]?.outcomes == [.ok: 1, .cancelled: 1])
    #expect(figures.peakCalls == 3)
  }

  @Test func `take the share of waits on order alone from the requests that wait`() {
    var script = TraceScript()
    let first = script.call("a", at: 0, turn: 1)
    let answer = script.answer(first, at: 10)
    script.call("b", at: 20, turn: 2, after: [answer])
    script.call("c", at: 21, turn: 2, after: [answer]) { $0.afterBy = .uses }
    let figures = TraceStatistics(TraceContents(events: script.events))
    #expect(figures.waitsOnOrder == 0.5)
    #expect(figures.think.count == 2)
    #expect(figures.sessions.map(\.fanOut) == [[1, 2]])
    #expect(figures.sessions.map(\.turns) == [2])
  }

  @Test func `of a trace without calls have no ratios`() {
    let figures = TraceStatistics(TraceContents(events: TraceScript.closed([])))
    #expect(figures.successRatio == nil)
    #expect(figures.waitsOnOrder == nil)
    #expect(figures.dispersion.map(\.index) == [nil, nil, nil, nil])
    #expect(figures.dispersion.map(\.window) == ["0.1s", "1s", "10s", "60s"])
    #expect(figures.span == 0)
  }

  @Test func `survive times at the ends of their range`() {
    var script = TraceScript()
    for t in [Int64.min, .max] {
      script.next { session, n, x in
        var line = RequestLine(
          session: session, n: n, t: t, dir: .c2s, id: .init(.null), method: "tools/call")
        line.origin = .agent
        line.x = x
        return .request(line)
      }
    }
    script.answer(1, at: 1) { $0.done = .max }
    let figures = TraceStatistics(TraceContents(events: script.events))
    #expect(figures.calls == 2)
  }
}
