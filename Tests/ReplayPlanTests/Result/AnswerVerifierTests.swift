import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

@Suite struct `Answers held against the recorded ones` {
  /// A call whose answer is `recorded`, and one that takes a value of it at `taken`.
  private func traffic(_ recorded: String, taken: String? = nil, keeps: Bool = true) throws
    -> RecordedTraffic
  {
    var script = TraceScript()
    let hello = script.sdk("initialize", at: 0)
    let ready = script.answer(hello, at: 1)
    let result = RawJSON(try #require(JSONValue(parsing: recorded)))
    let first = script.call("read", at: 10, turn: 1, after: [ready])
    let answer = script.answer(first, at: 12) { $0.result = result }
    script.call("write", at: 20, turn: 2, after: [answer]) {
      $0.params = RawJSON(.object([.init("arguments", .object([.init("id", .string("T-1"))]))]))
      if let taken {
        $0.uses = .array([
          .object([
            .init("at", .string("/arguments/id")), .init("from", .int(answer)),
            .init("path", .string(taken)),
          ])
        ])
        $0.afterBy = .uses
      }
    }
    script.end(at: 30)
    var builder = ScriptBuilder(keepsResults: keeps)
    for event in TraceScript.trace(script) { builder.add(event) }
    return builder.finish()
  }

  /// What comparing `now` with `recorded` finds: `equal`, `skipped`, or place and difference.
  private func verdict(
    _ mode: VerifyMode, _ recorded: String, _ now: String, taken: String? = nil,
    ignoring ignored: [String] = [], keeps: Bool = true
  ) throws -> String {
    let traffic = try traffic(recorded, taken: taken, keeps: keeps)
    var options = AnswerVerifier.Options()
    options.mode = mode
    options.ignored = ignored
    let verifier = try #require(AnswerVerifier(traffic, options))
    let script = try #require(traffic.scripts.first)
    let step = try #require(script.steps.firstIndex { $0.tool == "read" })
    let result = RawJSON(try #require(JSONValue(parsing: now)))
    switch verifier.verdict(script, step: step, result) {
    case .equal: return "equal"
    case .skipped: return "skipped"
    case .different(let difference):
      #expect(difference.tool == "read" && difference.session == "s1")
      return "\(difference.at) \(difference.what)"
    }
  }

  @Test(arguments: [
    (#"{"a":1,"b":["x"]}"#, #"{"b":["y","z"],"a":2}"#, "equal"),
    (#"{"a":1}"#, #"{"a":"1"}"#, "/a was a number, is a string"),
    (#"{"a":1,"b":2}"#, #"{"a":1}"#, "/b is missing"),
    (#"{"a":1}"#, #"{"a":1,"b/c":2}"#, "/b~1c is new"),
    (#"{"a":null}"#, #"{"a":1}"#, "/a was null, is a number"),
    (#"{"a":[{"x":1},{"y":1}]}"#, #"{"a":[{"y":2},{"y":3},{"x":4}]}"#, "equal"),
    (#"{"a":[{"x":1}]}"#, #"{"a":[{"x":2},{"y":3}]}"#, "/a/1/x is missing"),
    (#"{"a":[]}"#, #"{"a":[1,"2"]}"#, "equal"),
    (#"{"t":"{\"id\":\"T-1\"}"}"#, #"{"t":"{\"id\":\"T-2\"}"}"#, "equal"),
    (#"{"t":"{\"id\":\"T-1\"}"}"#, #"{"t":"{\"id\":5}"}"#, "/t#/id was a string, is a number"),
    (#"{"a":1,"_meta":{"x":1}}"#, #"{"a":1}"#, "equal"),
  ])
  func `by shape`(_ recorded: String, _ now: String, _ verdict: String) throws {
    #expect(try self.verdict(.shape, recorded, now) == verdict)
  }

  @Test(arguments: [
    (#"{"a":1,"b":["x",true]}"#, #"{"b":["x",true],"a":1}"#, "equal"),
    (#"{"a":1}"#, #"{"a":2}"#, "/a was 1, is 2"),
    (#"{"a":[1,2]}"#, #"{"a":[1]}"#, "/a had 2 elements, has 1"),
    (#"{"a":"x"}"#, #"{"a":"y"}"#, #"/a was "x", is "y""#),
  ])
  func `by value`(_ recorded: String, _ now: String, _ verdict: String) throws {
    #expect(try self.verdict(.exact, recorded, now) == verdict)
  }

  @Test func `what later requests take, and what is to be ignored, is not looked at`() throws {
    let (then, now) = (#"{"id":"T-1","at":5,"n":[{"t":1}]}"#, #"{"id":"T-9","at":6,"n":[{"t":2}]}"#)
    #expect(try verdict(.exact, then, now) == #"/id was "T-1", is "T-9""#)
    #expect(try verdict(.exact, then, now, taken: "/id") == "/at was 5, is 6")
    #expect(try verdict(.exact, then, now, taken: "/id", ignoring: ["/at", "/n/*/t"]) == "equal")
    let text = (
      #"{"content":[{"text":"{\"id\":\"T-1\"}"}]}"#, #"{"content":[{"text":"{\"id\":\"T-2\"}"}]}"#
    )
    #expect(try verdict(.exact, text.0, text.1, taken: "/content/0/text#/id") == "equal")
    #expect(try verdict(.exact, text.0, text.1) == #"/content/0/text#/id was "T-1", is "T-2""#)
  }

  @Test func `nothing is compared without results, or when it is off`() throws {
    #expect(try verdict(.exact, "{}", "{}", keeps: false) == "skipped")
    #expect(AnswerVerifier(try traffic("{}"), AnswerVerifier.Options()) == nil)
  }
}
