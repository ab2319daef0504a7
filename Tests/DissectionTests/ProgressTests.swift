import Basics
import Dissection
import TestKit
import Testing
import Trace

struct `Progress` {
  /// A batch of calls with a token each, whose progress comes in the other order, before the answers.
  private func conversation(_ count: Int) -> Dissected {
    var script = FlowScript()
    let flow = script.open()
    for round in 0..<2 {
      let ids = (0..<count).map { round * count + $0 }
      let calls = ids.map {
        #"{"jsonrpc":"2.0","id":\#($0),"method":"tools/call","params":{"name":"t","#
          + #""_meta":{"progressToken":\#($0 % count)}}}"#
      }
      script.post(flow, "[\(calls.joined(separator: ","))]")
      script.pause(1)
      script.stream(flow)
      for id in ids.reversed() {
        let token = #"{"progressToken":\#(id % count),"progress":1}"#
        script.event(
          flow, #"{"jsonrpc":"2.0","method":"notifications/progress","params":\#(token)}"#)
      }
      for id in ids { script.event(flow, #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#) }
      script.lastChunk(flow)
      script.pause(1)
    }
    script.close(flow)
    return Dissected(script.events)
  }

  @Test(arguments: [1, 2, 16, 17, 40])
  func `belongs to the request of its token, also of one used again`(_ count: Int) {
    let trace = conversation(count)
    let numbers = trace.requests.map(\.n)
    #expect(numbers.count == 2 * count)
    #expect(
      trace.notifications.map(\.re)
        == numbers.prefix(count).reversed() + numbers.suffix(count).reversed())
    #expect(trace.balances)
  }
}
