import Dissection
import TestKit
import Testing
import Trace

/// Calls that become tasks, which their client asks after.
struct Tasks {
  @Test(arguments: [
    // 2025-11-25, and the extension of 2026-07-28.
    #""task":{"taskId":"task-771f3","status":"working","pollInterval":500}"#,
    #""resultType":"task","taskId":"task-771f3","status":"working""#,
  ])
  func `are polled by requests that name the call`(handle: String) {
    var script = FlowScript()
    let flow = script.open()
    let sid = "mcp-session-id: 5e55"
    func ask(_ id: Int, _ method: String, _ params: String) -> String {
      #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(params)}}"#
    }
    let answers = [handle, #""status":"working""#, #""status":"completed""#, #""content":[]"#]
    let asked = [
      ask(1, "tools/call", #""name":"t","arguments":{},"task":{"ttl":60000}"#),
      ask(2, "tasks/get", #""taskId":"task-771f3""#),
      ask(3, "tasks/get", #""taskId":"task-771f3""#),
      ask(4, "tasks/result", #""taskId":"task-771f3""#),
      ask(5, "tasks/get", #""taskId":"another""#),
    ]
    for (i, text) in asked.enumerated() {
      script.post(flow, text, sid)
      script.pause(20)
      let result = i < answers.count ? answers[i] : ""
      script.json(flow, #"{"jsonrpc":"2.0","id":\#(i + 1),"result":{\#(result)}}"#)
      script.pause(500)
    }
    let trace = Dissected(script.events)
    let n = trace.requests.first?.n
    #expect(trace.requests.map(\.pollOf) == [nil, n, n, n, nil])
    #expect(trace.requests.map(\.origin) == [.agent, .sdk, .sdk, .sdk, .sdk])
  }
}
