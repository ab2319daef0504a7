import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

struct `HTTP/2 exchanges` {
  @Test func `have interim answers and trailers`() {
    var script = HTTP2Script()
    script.post(1, Talk.call(1))
    script.send(.s2c, script.headers(.s2c, 1, [":status: 103", "link: </a>"]))
    script.send(.s2c, script.headers(.s2c, 1, [":status: 200"]))
    script.send(.s2c, HTTP2Frames.data(1, Talk.result(1)))
    script.send(.s2c, script.headers(.s2c, 1, ["grpc-status: 0"], end: true))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.map(\.interim) == [[103]])
    #expect(trace.exchanges.map(\.status) == [200])
    #expect(trace.exchanges.map(\.response.bytes) == [Talk.result(1).utf8.count])
    #expect(trace.exchanges.map(\.stream) == [1])
    #expect(trace.outcomes == ["s1 1: ok"])
    #expect(trace.losses.isEmpty)
  }

  @Test func `are paired when the answer is captured first`() {
    var script = HTTP2Script()
    let asked =
      script.headers(.c2s, 1, [":method: POST", ":path: /mcp", ":authority: h"])
      + HTTP2Frames.data(1, Talk.call(1), end: true)
    script.json(1, Talk.result(1))
    script.pause(1)
    script.send(.c2s, asked)
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.map(\.flags) == [nil])
    #expect(trace.exchanges.map(\.status) == [200])
    #expect(trace.balances)
  }

  @Test func `wait with an early answer for the end of the request`() {
    var script = HTTP2Script()
    script.send(
      .c2s,
      script.headers(.c2s, 1, [":method: POST", ":path: /mcp"]) + HTTP2Frames.data(1, "{\"a\":"))
    script.json(1, "{}", status: 413)
    script.pause(1)
    script.send(.c2s, HTTP2Frames.data(1, "1}", end: true))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.map(\.request.bytes) == [7])
    #expect(trace.exchanges.map(\.status) == [413])
    #expect(trace.exchanges.map(\.sent) == [1_000_000])
  }

  @Test func `end early when the server refuses the rest of a request`() {
    var script = HTTP2Script()
    script.send(
      .c2s,
      script.headers(.c2s, 1, [":method: POST", ":path: /mcp"]) + HTTP2Frames.data(1, "{\"a\":"))
    script.json(1, "{}", status: 413)
    script.send(.s2c, HTTP2Frames.reset(1, 0))
    script.pause(5)
    script.post(3, Talk.call(1))
    script.json(3, Talk.result(1))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.map(\.status) == [413, 200])
    #expect(trace.exchanges.map(\.response.bytes) == [2, Talk.result(1).utf8.count])
    #expect(trace.exchanges[0].request.sha256 == nil)
  }

  @Test func `that upgrade from HTTP/1 are answered as stream 1`() {
    var script = HTTP2Script(greets: false)
    script.script.post(
      script.flow, Talk.initialize, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABk")
    script.pause(3)
    script.script.send(
      script.flow, .s2c,
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    script.send(.s2c, HTTP2Frames.settings)
    script.json(1, Talk.initialized, Talk.sid)
    script.pause(1)
    script.send(.c2s, HTTP2Frames.preface + HTTP2Frames.settings)
    script.post(3, Talk.call(1), Talk.sid)
    script.json(3, Talk.result(1))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 3: ok"])
    #expect(trace.exchanges.map(\.x) == [1, 1, 2])
    #expect(trace.exchanges.map(\.status) == [101, 200, 200])
    #expect(trace.exchanges.map(\.stream) == [nil, 1, 3])
    #expect(trace.exchanges.map(\.interim) == [nil, [101], nil])
    #expect(trace.losses.isEmpty)
    #expect(trace.balances)
  }

  @Test func `that upgrade and hear no more are not answered`() {
    var script = HTTP2Script(greets: false)
    script.script.post(script.flow, Talk.initialize, "Upgrade: h2c")
    script.script.send(
      script.flow, .s2c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")
    script.close()
    #expect(Dissected(script.events).outcomes == ["- 1: cancelled"])
  }

  @Test func `of pushed resources begin with the promise`() {
    var script = HTTP2Script()
    script.request(1, "GET")
    script.promise(1, 2, [":method: GET", ":path: /style", ":authority: h:80"])
    script.json(2, "{}")
    script.empty(1, status: 204)
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.map(\.target) == ["/mcp", "/style"])
    #expect(trace.exchanges.map(\.status) == [204, 200])
    #expect(trace.exchanges.map(\.flags) == [nil, ["pushed"]])
  }

  @Test func `without a request are orphans once a later one is seen`() {
    var script = HTTP2Script()
    _ = script.headers(.c2s, 1, [":method: POST"])
    script.json(1, Talk.result(1))
    script.pause(1)
    script.post(3, Talk.call(2))
    script.json(3, Talk.result(2))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.map(\.method) == ["POST", ""])
    #expect(trace.exchanges.map(\.flags) == [nil, ["response-without-request"]])
    #expect(trace.balances)
  }

  @Test func `of a capture without the client are orphans`() {
    var script = HTTP2Script(greets: false)
    script.send(.s2c, HTTP2Frames.settings)
    let body = String(repeating: "x", count: 10_000)
    for i in 0..<200 { script.json(2 * i + 1, body) }
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.count == 200)
    #expect(trace.exchanges.allSatisfy { $0.response.bytes == 10_000 })
    #expect(trace.balances)
  }

  @Test func `beyond the limit of open streams push out the oldest`() {
    var script = HTTP2Script()
    for i in 0..<4100 { script.request(2 * i + 1, "GET") }
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.count == 4100)
    #expect(trace.footer.loss["limit.h2_streams"]?.count == 4)
    #expect(trace.balances)
  }
}

struct `HTTP/2 streams` {
  /// A call whose answer has begun.
  private func begun() -> HTTP2Script {
    var script = HTTP2Script()
    script.handshake(1)
    script.post(5, Talk.call(1), Talk.sid)
    script.pause(10)
    script.stream(5)
    script.event(5, Talk.progress)
    script.pause(10)
    return script
  }

  @Test func `that the client cancels keep what came`() {
    var script = begun()
    script.send(.c2s, HTTP2Frames.reset(5, 8))
    script.pause(2000)
    script.post(7, Talk.call(2), Talk.sid)
    script.json(7, Talk.result(2))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: cancelled", "s1 7: ok"])
    let cancelled = trace.responses[1]
    #expect(cancelled.by == .client)
    #expect(cancelled.done == 27_000_000)
    #expect(trace.notifications.count == 2)
    #expect(trace.exchanges[2].flags == ["rst-stream-cancel"])
    #expect(trace.exchanges[2].response.sha256 == nil)
    #expect(trace.losses.isEmpty)
  }

  @Test func `that the client cancels take what was on its way`() {
    var script = begun()
    script.send(.c2s, HTTP2Frames.reset(5, 8))
    script.pause(30)
    script.event(5, Talk.result(1), end: true)
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok"])
    #expect(trace.exchanges[2].flags == ["rst-stream-cancel"])
    #expect(trace.losses.isEmpty)
  }

  @Test func `that the server resets fail`() {
    var script = begun()
    script.send(.s2c, HTTP2Frames.reset(5, 2))
    script.send(.s2c, HTTP2Frames.data(5, "late"))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: transport_error"])
    #expect(trace.exchanges[2].flags == ["rst-stream-internal-error"])
    #expect(trace.footer.loss["h2.closed_stream"] == .init(count: 1, bytes: 4))
    #expect(trace.balances)
  }

  @Test func `that a GOAWAY leaves out fail, others go on`() {
    var script = begun()
    script.post(7, Talk.call(2), Talk.sid)
    script.send(.s2c, HTTP2Frames.goAway(5))
    script.pause(10)
    script.event(5, Talk.result(1), end: true)
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok", "s1 6: transport_error"])
    #expect(trace.exchanges.map(\.flags) == [nil, nil, nil, ["goaway"]])
  }

  @Test(arguments: [
    (Direction.c2s, FlowEnding.fin, "cancelled"), (.s2c, .fin, "transport_error"),
    (.s2c, .captureEnd, "unanswered"),
  ])
  func `that are open when the connection ends end with it`(
    _ first: Direction, _ how: FlowEnding, _ outcome: String
  ) {
    var script = begun()
    script.script.end(script.flow, first, how)
    script.pause(1)
    script.script.end(script.flow, first.reversed, how)
    #expect(Dissected(script.events).outcomes == ["s1 1: ok", "s1 4: \(outcome)"])
  }
}
