import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

/// Traffic of a stdio server.
struct `Standard input and output` {
  private func play(_ lines: [(Direction, String)], ends: [Direction] = [.c2s, .s2c]) -> Dissected {
    var script = FlowScript()
    let flow = script.start()
    for (direction, text) in lines {
      script.pause(10)
      script.send(flow, direction, text + "\n")
    }
    for direction in ends {
      script.pause(10)
      script.end(flow, direction)
    }
    return Dissected(script.events)
  }

  private static let hello: [(Direction, String)] = [
    (
      .c2s,
      #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"a","version":"1"}}}"#
    ),
    (
      .s2c,
      #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","serverInfo":{"name":"s","version":"2"}}}"#
    ),
    (.c2s, #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
  ]

  @Test func `the process is the session`() {
    let trace = play(
      Self.hello + [
        (.c2s, #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"make"}}"#),
        (.s2c, #"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{}}"#),
        (.c2s, #"{"jsonrpc":"2.0","id":7,"result":{"action":"accept"}}"#),
        (.s2c, #"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#),
        (
          .s2c,
          #"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"id":"tick-4711-x"}}}"#
        ),
        (
          .c2s,
          #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"use","arguments":{"id":"tick-4711-x"}}}"#
        ),
        (.s2c, #"{"jsonrpc":"2.0","id":2,"result":{"isError":true}}"#),
      ])
    #expect(trace.sessions.count == 1)
    let session = trace.sessions.first
    #expect(session?.transport == .stdio)
    #expect(session?.key == SessionKey(by: .stdio, value: nil, evidence: ["stdio"], confidence: 1))
    #expect(session?.client?.name == "a")
    #expect(session?.server?.name == "s")
    #expect(session?.revision == "2025-11-25")
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok", "s1 5: ok", "s1 9: tool_error"])
    #expect(Set(trace.requests.map(\.via) + trace.responses.map(\.via)) == [.stdio])
    #expect(trace.requests.allSatisfy { $0.x == nil && $0.conn == 1 })
    #expect(trace.requests.map(\.turn) == [0, 1, nil, 2])
    #expect(
      trace.requests.last?.uses?.text
        == #"[{"at":"/arguments/id","from":8,"path":"/structuredContent/id"}]"#)
    #expect(trace.requests.last?.afterBy == .uses)
    #expect(trace.ends.map(\.how) == [.closed])
    #expect(trace.losses.isEmpty)
    #expect(trace.balances)
  }

  @Test func `batches, cancelled requests and early ends are told`() {
    let trace = play(
      Self.hello + [
        (
          .c2s,
          #"[{"jsonrpc":"2.0","id":1,"method":"ping"},5,{"jsonrpc":"2.0","id":"1","method":"tools/call","params":{"name":"slow"}}]"#
        ),
        (.s2c, #"[{"jsonrpc":"2.0","id":1,"result":{}}]"#),
        (
          .c2s,
          #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"1"}}"#
        ),
        (.c2s, #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t"}}"#),
      ], ends: [.s2c, .c2s])
    #expect(
      trace.outcomes == ["s1 1: ok", "s1 4: ok", "s1 5: cancelled", "s1 9: transport_error"])
    #expect(trace.requests.map(\.batch) == [nil, 0, 1, nil])
    #expect(trace.losses.map(\.kind) == ["jsonrpc.not_message"])
    #expect(trace.balances)
  }

  @Test func `who closes first leaves the other waiting`() {
    let ask = [
      (Direction.c2s, #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}"#)
    ]
    let answered = play(ask)
    #expect(answered.outcomes == ["s1 1: cancelled"])
    #expect(answered.responses.map(\.by) == [.client])
    #expect(play(ask, ends: [.s2c, .c2s]).outcomes == ["s1 1: transport_error"])
    #expect(play(ask, ends: []).outcomes == ["s1 1: unanswered"])
    #expect(play(ask, ends: []).ends.map(\.how) == [.captureEnd])
  }

  @Test func `what is no message is counted`() {
    let trace = play([
      (.s2c, "starting up"), (.s2c, ""), (.s2c, "  "), (.c2s, "{\"a\":1}"),
      (.c2s, #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#),
      (.s2c, #"{"jsonrpc":"2.0","id":9,"result":{}}"#),
      (.s2c, #"{"jsonrpc":"2.0","id":1,"result":{}}"#),
    ])
    #expect(
      trace.losses.map { "\($0.kind) \($0.bytes ?? 0)" }
        == ["stdio.not_jsonrpc 12", "stdio.not_jsonrpc 8", "jsonrpc.unmatched_response 0"])
    #expect(trace.outcomes == ["s1 1: ok"])
    #expect(trace.balances)
  }

  @Test func `a silent process does not end as idle`() {
    var script = FlowScript()
    let flow = script.start()
    script.send(flow, .c2s, #"{"jsonrpc":"2.0","id":1,"method":"ping"}"# + "\n")
    script.send(flow, .s2c, #"{"jsonrpc":"2.0","id":1,"result":{}}"# + "\n")
    script.pause(3_600_000)
    script.send(flow, .c2s, #"{"jsonrpc":"2.0","id":2,"method":"ping"}"# + "\n")
    script.send(flow, .s2c, #"{"jsonrpc":"2.0","id":2,"result":{}}"# + "\n")
    script.close(flow)
    let trace = Dissected(script.events)
    #expect(trace.ends.map(\.how) == [.closed])
    #expect(trace.requests.count == 2)
  }
}
