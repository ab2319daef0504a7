import Basics
import Dissection
import TestKit
import Testing
import Trace

struct `Batches` {
  @Test func `have elements that are no messages counted`() {
    var script = FlowScript()
    let flow = script.open()
    let calls = ["1", "2", "3"].map { #"{"jsonrpc":"2.0","id":\#($0),"method":"tools/list"}"# }
    let results = ["1", "2", "3"].map { #"{"jsonrpc":"2.0","id":\#($0),"result":{}}"# }
    script.post(flow, "[\(calls[0]),7,{\"a\":1},\(calls[1])]")
    script.pause(1)
    script.json(flow, "[\(results[0]),null,\(results[1])]")
    script.pause(1)
    script.post(flow, "[\(calls[2])]")
    script.pause(1)
    script.stream(flow)
    script.event(flow, "[\(results[2]),[\(results[1])]]")
    script.lastChunk(flow)
    script.close(flow)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 2: ok", "s1 5: ok"])
    #expect(trace.footer.loss == ["jsonrpc.not_message": .init(count: 4, bytes: 0)])
    #expect(trace.losses.map(\.x) == [1, 1, 2])
    #expect(trace.balances)
  }
}
