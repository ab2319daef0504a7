import Analysis
import TestKit
import Testing
import Trace

struct `Tool chains` {
  @Test func `brackets what one turn asks in parallel`() throws {
    let contents = try TraceContents(path: Fixture.path("example.mcptrace"))
    let chain = ToolChains.chain(of: try #require(contents.session("s1")))
    #expect(chain == "search → (read ∥ read)")
  }

  @Test func `orders a turn by start, not by arrival in the file`() {
    var script = TraceScript()
    let later = script.call("b", at: 12, turn: 1)
    let first = script.call("a", at: 10, turn: 1)
    let answers = [script.answer(first, at: 20), script.answer(later, at: 30)]
    script.call("c", at: 40, turn: 2, after: answers)
    #expect(chains(script) == ["(a ∥ b) → c"])
  }

  @Test func `hides repetitions, resumptions and polls`() {
    var script = TraceScript()
    let refused = script.call("pay", at: 0, turn: 1)
    script.answer(refused, at: 5, .httpError)
    let repeated = script.call("pay", at: 10, turn: 1) { $0.retryOf = refused }
    script.answer(repeated, at: 15)
    let resumed = script.call("pay", at: 20, turn: 1) { $0.continues = repeated }
    script.answer(resumed, at: 25)
    #expect(chains(script) == ["pay"])
  }

  @Test func `ignores what the client library calls`() {
    var script = TraceScript()
    script.call("probe", at: 0, turn: 0) { $0.origin = .sdk }
    #expect(chains(script) == [])
  }

  @Test func `counts equal chains, the most frequent first`() {
    var scripts: [TraceScript] = []
    for (i, tools) in [["a"], ["b", "c"], ["b", "c"], ["a b"]].enumerated() {
      var script = TraceScript("s\(i)")
      var after: [Int] = []
      for (turn, tool) in tools.enumerated() {
        let t = Int64(turn) * 100
        let n = script.call(tool, at: t, turn: turn + 1, after: after)
        after = [script.answer(n, at: t + 10)]
      }
      scripts.append(script)
    }
    let contents = TraceContents(events: scripts.flatMap(\.events))
    let counts = ToolChains.counts(of: contents.sessions).map { "\($0.count) \($0.chain)" }
    #expect(counts == ["2 b → c", "1 a", "1 a b"])
  }

  private func chains(_ script: TraceScript) -> [String] {
    let contents = TraceContents(events: script.events)
    return ToolChains.counts(of: contents.sessions).map(\.chain)
  }
}
