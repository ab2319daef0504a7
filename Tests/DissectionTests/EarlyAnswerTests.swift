import Basics
import Dissection
import TestKit
import Testing
import Trace

/// HTTP+SSE answers on another connection than it is asked on: a capture may have them in any order.
struct `Answers captured before their questions` {
  private func call(_ id: Int) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"t"}}"#
  }
  private func result(_ id: Int) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"result":{"a":\#(id)}}"#
  }

  /// A session of HTTP+SSE with its stream open.
  private func session() -> (script: FlowScript, stream: FlowID, posts: FlowID) {
    var script = FlowScript()
    let (stream, posts) = (script.open(), script.open())
    script.request(stream, "GET", "accept: text/event-stream")
    script.pause(1)
    script.stream(stream)
    script.chunk(stream, "event: endpoint\r\ndata: /messages?s=1\r\n\r\n")
    script.pause(1)
    return (script, stream, posts)
  }

  private func ask(_ id: Int, _ script: inout FlowScript, _ posts: FlowID) {
    let body = call(id)
    script.send(
      posts, .c2s,
      "POST /messages?s=1 HTTP/1.1\r\nHost: h:80\r\ncontent-type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    script.send(posts, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
  }

  @Test(arguments: [(0.0, "ok"), (5, "ok"), (1_000, "ok"), (1_001, "unanswered")])
  func `are theirs for a second`(_ late: Double, _ outcome: String) {
    var (script, stream, posts) = session()
    script.event(stream, result(7))
    script.pause(late)
    ask(7, &script, posts)
    script.pause(5)
    script.close(posts)
    script.close(stream)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 2: \(outcome)"])
    #expect(
      trace.losses.map(\.kind) == (outcome == "ok" ? [] : ["jsonrpc.unmatched_response"]))
    #expect(trace.balances)
  }

  @Test func `are theirs however late they are told`() {
    var (script, stream, posts) = session()
    let before = script
    script.pause(20)
    script.event(stream, result(7))
    script.pause(55_000)
    var told = before
    told.pause(10)
    ask(7, &told, posts)
    let answered = script.events.count
    script.close(posts)
    script.close(stream)
    let events =
      script.events[..<answered] + told.events[before.events.count...] + script.events[answered...]
    let trace = Dissected(Array(events))
    #expect(trace.outcomes == ["s1 2: ok"])
    #expect(trace.responses.map(\.done) == [22_000_000])
    #expect(trace.losses.isEmpty)
  }

  @Test func `are given up when nobody asked for a minute`() throws {
    var (script, stream, posts) = session()
    script.event(stream, result(7))
    script.pause(71_000)
    ask(8, &script, posts)
    script.event(stream, result(8))
    let trace = Dissected(script.events)
    let given = trace.events.firstIndex { if case .loss = $0 { true } else { false } }
    let closed = trace.events.firstIndex { if case .end = $0 { true } else { false } }
    #expect(try #require(given) < #require(closed) - 1)
    #expect(trace.losses.map(\.kind) == ["jsonrpc.unmatched_response"])
    #expect(trace.outcomes == ["s1 2: ok"])
  }

  @Test func `end a cancelled call when it was given up, whatever is told later`() throws {
    var (script, stream, posts) = session()
    ask(7, &script, posts)
    var told = script
    told.pause(10)
    told.event(stream, result(7))
    let before = script.events.count
    script.pause(20)
    let body = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#
    script.send(
      posts, .c2s,
      "POST /messages?s=1 HTTP/1.1\r\nHost: h:80\r\ncontent-type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    script.send(posts, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    script.pause(5)
    ask(8, &script, posts)
    let trace = Dissected(script.events + told.events[before...])
    #expect(trace.outcomes == ["s1 2: cancelled", "s1 5: unanswered"])
    // The next call was said to have waited until then.
    let next = try #require(trace.requests.last)
    #expect(next.think == 5_000_000)
    #expect(trace.responses.first?.done == next.t - 5_000_000)
  }
}
