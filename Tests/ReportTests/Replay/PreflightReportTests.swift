import Basics
import ReplayPlan
import Report
import TestKit
import Testing
import Trace

@Suite struct `What a preflight found` {
  private static let search = #"{"limit":3,"id":"T-1"}"#

  /// Two searches, a read that takes a value of the first, a read of a value of `make`, and `make` itself.
  private func preflight() -> Preflight {
    var lines = SessionLines("s1", start: 0)
    let hello = lines.request("initialize", t: 0, params: "{}")
    var last = lines.answer(hello, t: 1)
    let list = lines.request("tools/list", t: 2, after: [last])
    last = lines.answer(
      list, t: 3,
      result: #"""
        {"tools":[{"name":"search","annotations":{"readOnlyHint":true}},
        {"name":"read","annotations":{"readOnlyHint":true}},{"name":"make"}]}
        """#)
    func call(_ tool: String, _ turn: Int, _ arguments: String, from: Int? = nil) {
      let n = lines.call(
        tool, t: Int64(turn) * 1000, turn: turn, after: [last], arguments: arguments
      ) {
        guard let from else { return }
        $0.uses = JSONValue(
          parsing: #"[{"at":"/arguments/id","from":\#(from),"path":"/structuredContent/id"}]"#)
      }
      last = lines.answer(n, t: Int64(turn) * 1000 + 10)
    }
    call("search", 1, Self.search)
    call("read", 2, #"{"id":"a\u001b[2J"}"#, from: last)
    call("search", 3, #"{"id":"T-2"}"#)
    call("make", 4, "{}")
    call("read", 5, #"{"id":"m"}"#, from: last)
    var builder = ScriptBuilder()
    for event in lines.events { builder.add(event) }
    return Preflight(builder.finish())
  }

  private func result(_ search: PreflightResult.Answer) -> PreflightResult {
    let preflight = preflight()
    return PreflightResult(
      preflight,
      preflight.calls.mapValues { call in
        switch (call.tool, call.arguments?.text) {
        case ("search", Self.search): .sent(search)
        case ("read", _): .unsent(.unresolved)
        default: .sent(.init(outcome: .ok, status: 200, code: nil, message: nil))
        }
      })
  }

  @Test func `people read what fails, what it says and what to do`() {
    let refused = PreflightResult.Answer(
      outcome: .jsonrpcError, status: 200, code: -32602, message: "no T-1\nhere\u{7}")
    #expect(
      PreflightReport(result(refused)).text == #"""
        4 distinct read-only calls, 2 sent: 1 ok as recorded, 1 ok then and not here, 0 ok only here, 0 in neither

        tool    arguments               then  now            code    says
        search  {"limit":3,"id":"T-1"}  ok    jsonrpc_error  -32602  no T-1 here·

        What to do (replay run takes the same options):
          --map FILE       gives this target's values, in lines tool,pointer,from,to: search,/arguments/id,T-1,NEW
          --skip 'search'  leaves out all calls of these tools, and what takes values from them
          or load the recorded data into the target

        not sent, as an answer before gave no value for it: 1
          read {"id":"a\u001b[2J"}

        not sent, as it takes a value of a call that may write or that the filter leaves out: 1
          read {"id":"m"}
        not looked at: 1 distinct call of tools not known to be read-only (make)

        """#)
  }

  @Test func `a map is no cure for what the target's own answers give`() {
    let preflight = preflight()
    let missing = PreflightResult.Answer(
      outcome: .toolError, status: 200, code: nil, message: "gone")
    let result = PreflightResult(
      preflight,
      preflight.calls.mapValues { call in
        .sent(
          call.tool == "read"
            ? missing : .init(outcome: .ok, status: 200, code: nil, message: nil))
      })
    let text = PreflightReport(result).text
    #expect(text.contains("1 of these took values from this target's answers"))
    #expect(text.contains("in lines tool,pointer,from,to\n"))
  }

  @Test func `a target that is gone is told from its data`() {
    let gone = PreflightResult.Answer(
      outcome: .transportError, status: nil, code: nil, message: nil)
    let text = PreflightReport(result(gone)).text
    #expect(text.contains("no answer, which is no matter of data"))
    #expect(!text.contains("--map"))
  }

  @Test func `programs get the same under stable keys`() {
    let missing = PreflightResult.Answer(
      outcome: .toolError, status: 200, code: nil, message: "no T-1")
    #expect(
      PreflightReport(result(missing)).json.text
        == #"{"passed":false,"complete":true,"interrupted":false,"#
        + #""counts":{"sent":2,"unsent":1,"blocked":1,"ok_ok":1,"ok_err":1,"err_ok":0,"err_err":0},"#
        + #""failures":[{"tool":"search","arguments":{"limit":3,"id":"T-1"},"bound":false,"then":"ok","now":"tool_error","status":200,"message":"no T-1"}],"#
        + #""unanswered":[],"#
        + #""unsent":[{"tool":"read","arguments":{"id":"a\u001b[2J"},"bound":true,"then":"ok","reason":"unresolved"}],"#
        + #""blocked":[{"tool":"read","arguments":{"id":"m"},"bound":true,"then":"ok"}],"writes":{"make":1}}"#
    )
  }
}
