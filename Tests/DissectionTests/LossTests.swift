import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

/// What a hole on either side of an HTTP/1 connection does to the pairs of requests and answers.
struct `Pairs around holes` {
  private let sid = "Mcp-Session-Id: abc"
  private func call(_ id: String) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"t"}}"#
  }
  private func result(_ id: String) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"result":{"a":\#(id)}}"#
  }

  private func script() -> (FlowScript, FlowID) {
    var script = FlowScript()
    let flow = script.open()
    script.post(flow, #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#)
    script.pause(1)
    script.json(
      flow, #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18"}}"#, sid)
    script.pause(1)
    return (script, flow)
  }

  /// A session's begin, and a call.
  private func scriptWithCall() -> (FlowScript, FlowID) {
    var (script, flow) = self.script()
    script.post(flow, call("1"), sid)
    script.pause(1)
    return (script, flow)
  }

  private func call(_ id: String, in script: inout FlowScript, _ flow: FlowID) {
    script.post(flow, call(id), sid)
    script.pause(1)
    script.json(flow, result(id))
    script.pause(1)
  }

  @Test func `stay right where an answer is lost`() {
    var (script, flow) = scriptWithCall()
    script.lose(flow, .s2c, 150)
    script.pause(1)
    call("2", in: &script, flow)
    script.close(flow)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 3: unanswered", "s1 4: ok"])
    #expect(trace.balances)
  }

  @Test func `stay right where requests are told after their answers`() {
    let (script, flow) = script()
    // The reader of the capture holds what follows a hole for a while, but only on its side.
    let answers = ["2", "3"].map { (id: $0, at: script.clock + (Double($0) ?? 0) * 10 + 5) }
    var late: [(id: String, at: Double)] = []
    for answer in answers { late.append((answer.id, answer.at - 3)) }
    var told = script
    for answer in answers {
      told.pause(answer.at - told.clock)
      told.json(flow, result(answer.id))
    }
    told.lose(flow, .c2s, 300)
    var held = script
    for request in late {
      held.pause(request.at - held.clock)
      held.post(flow, call(request.id), sid)
    }
    let before = script.events.count
    var end = told
    end.pause(60)
    end.close(flow)
    let events =
      told.events + held.events.dropFirst(before) + end.events.dropFirst(told.events.count)
    let trace = Dissected(events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 3: ok", "s1 5: ok"])
    #expect(trace.balances)
  }

  @Test func `leave no wrong answer where both sides have holes`() {
    var (script, flow) = scriptWithCall()
    script.lose(flow, .s2c, 150)
    script.lose(flow, .c2s, 300)
    script.pause(1)
    script.send(flow, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    script.pause(1)
    call("3", in: &script, flow)
    script.close(flow)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 3: unanswered", "s1 5: ok"])
    #expect(trace.balances)
  }

  /// What the exchanges are flagged with, in order of their requests.
  private func flags(_ script: FlowScript) -> [[String]] {
    var options = DissectionOptions(redactor: nil)
    options.exchanges = true
    let trace = Dissected(script.events, options: options)
    #expect(trace.balances)
    return trace.events.compactMap { if case .exchange(let line) = $0 { line } else { nil } }
      .sorted { $0.x < $1.x }.map { $0.flags ?? [] }
  }

  @Test func `are uncertain behind a hole that is met before an earlier answer is read`() {
    let (opened, flow) = script()
    var script = opened
    // Two requests and the answer to the second are lost: the first answer waits for its request, and the hole behind it.
    script.json(flow, result("1"))
    script.pause(1)
    script.lose(flow, .s2c, 150)
    script.send(flow, .s2c, "\r\n")
    script.lose(flow, .c2s, 300)
    script.pause(1)
    script.post(flow, call("2"), sid)
    script.pause(5)
    script.lose(flow, .c2s, 300)
    script.pause(1)
    script.json(flow, result("3"))
    script.pause(1)
    script.post(flow, call("4"), sid)
    script.close(flow)
    #expect(
      flags(script) == [[], ["response-without-request"], ["pairing-uncertain"], []])
  }

  @Test func `are uncertain behind a hole where the client pipelines`() {
    let (opened, flow) = script()
    var script = opened
    for id in ["1", "2"] { script.post(flow, call(id), sid) }
    script.pause(1)
    for id in ["1", "2"] { script.json(flow, result(id)) }
    for id in ["3", "4", "6"] {
      script.post(flow, call(id), sid)
      if id == "4" { script.lose(flow, .c2s, 300) }
    }
    script.pause(1)
    for id in ["3", "4", "5", "6"] { script.json(flow, result(id)) }
    script.close(flow)
    #expect(
      flags(script) == [
        [], [], [], ["pairing-uncertain"], ["pairing-uncertain"], ["pairing-uncertain"],
        ["response-without-request"],
      ])
  }

  @Test func `are unanswered where a hole is in the answer`() {
    var (script, flow) = scriptWithCall()
    script.stream(flow)
    script.lose(flow, .s2c, 80)
    script.lastChunk(flow)
    script.pause(1)
    call("2", in: &script, flow)
    script.close(flow)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 3: unanswered", "s1 4: ok"])
    #expect(trace.balances)
  }

  @Test func `leave an answer behind a lost request alone, though its id is used again later`() {
    var (script, flow) = script()
    let other = script.open()
    let before = script
    // Held back because of the hole in its request, and told when a later request of that id is open.
    var held = before
    held.send(
      other, .c2s, "POST /mcp HTTP/1.1\r\nHost: h:80\r\n\(sid)\r\nContent-Length: 90\r\n\r\n")
    held.lose(other, .c2s, 90)
    held.pause(5)
    held.stream(other)
    held.event(other, result("7"))
    held.lastChunk(other)
    script.pause(20)
    script.post(flow, call("7"), sid)
    let asked = script.events.count
    script.pause(20)
    script.json(flow, result("7"))
    script.close(flow)
    var events = Array(script.events[..<asked])
    events += held.events[before.events.count...]
    events += script.events[asked...]
    let trace = Dissected(events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 3: ok"])
    #expect(trace.responses.last?.conn == flow.number)
    #expect(trace.losses.map(\.kind) == ["tcp.gap", "jsonrpc.unmatched_response"])
    #expect(trace.balances)
  }

  @Test func `are found where both sides begin with a hole`() {
    var script = FlowScript()
    let flow = script.open()
    script.lose(flow, .c2s, 232)
    script.send(flow, .c2s, call("1"))
    script.pause(1)
    script.lose(flow, .s2c, 313)
    script.send(flow, .s2c, "no head")
    script.pause(1)
    call("2", in: &script, flow)
    script.close(flow)
    let trace = Dissected(script.events)
    #expect(trace.requests.map(\.id.text) == ["2"])
    #expect(trace.outcomes.count == 1)
    #expect(trace.footer.loss["unknown"] == nil)
    #expect(trace.balances)
  }
}
