import Basics
import TestKit
import Testing
import Trace

/// What `replay preflight` says and exits with.
@Suite(.timeLimit(.minutes(2)))
struct `replay preflight` {
  /// A session that looks at `a` and `b`; `a` may be unknown.
  private func trace(knowsA: Bool) -> String {
    var lines = SessionLines("s1", start: 0)
    let hello = lines.request("initialize", t: 0, params: #"{"protocolVersion":"2025-11-25"}"#)
    var last = lines.answer(hello, t: 2, result: #"{"protocolVersion":"2025-11-25"}"#)
    let list = lines.request("tools/list", t: 3, after: [last])
    last = lines.answer(
      list, t: 4, result: #"{"tools":[{"name":"look","annotations":{"readOnlyHint":true}}]}"#)
    for (i, id) in ["a", "b", "a"].enumerated() {
      let n = lines.call(
        "look", t: Int64(i + 1) * 1000, turn: i + 1, after: [last],
        arguments: #"{"id":"\#(id)"}"#)
      let isError = id == "a" && !knowsA
      last = lines.answer(
        n, t: Int64(i + 1) * 1000 + 10, isError ? .toolError : .ok,
        result:
          #"{"content":[{"type":"text","text":"\#(isError ? "no a here" : "it is \(id)")"}],"isError":\#(isError)}"#
      )
    }
    lines.end(t: 9000)
    return TraceScript.closed(lines.events).map { $0.line.text + "\n" }.joined()
  }

  private func preflight(_ options: String..., knowsA: Bool) throws -> Program.Result {
    try TemporaryFile.with(trace(knowsA: true)) { recorded in
      try TemporaryFile.with(trace(knowsA: knowsA)) { other in
        let server = try ServedTrace(other)
        let result = try Program.run(
          "replay",
          ["preflight", recorded, "--target", "http://127.0.0.1:\(server.port)/mcp"] + options)
        _ = try server.stop()
        return result
      }
    }
  }

  @Test func `a target with the recorded data passes`() throws {
    let result = try preflight(knowsA: true)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.hasPrefix("2 distinct read-only calls, 2 sent: 2 ok as recorded, "))
  }

  @Test func `what the target does not know is named, and a map cures it`() throws {
    let result = try preflight(knowsA: false)
    #expect(result.status == 1, "\(result.errors)")
    #expect(
      result.output.contains("no a here") && result.output.contains("look,/arguments/id,a,NEW"))
    let cured = try TemporaryFile.with("look,/arguments/id,a,b\n") {
      try preflight("--map", $0, "--json", knowsA: false)
    }
    #expect(cured.status == 0, "\(cured.errors)")
    let json = JSONValue(parsing: cured.output)
    #expect(json?["passed"]?.bool == true)
    #expect(json?["counts"]?["sent"] == .int(1))
  }
}
