import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

struct `HTTP/2 losses` {
  @Test func `in DATA leave the other streams whole`() {
    var script = HTTP2Script()
    script.handshake(1)
    script.post(5, Talk.call(1), Talk.sid)
    script.post(7, Talk.call(2), Talk.sid)
    let data = HTTP2Frames.data(5, Talk.result(1), end: true)
    script.send(.s2c, script.headers(.s2c, 5, [":status: 200", "content-type: application/json"]))
    script.send(.s2c, Array(data[..<20]))
    script.lose(.s2c, 10)
    script.send(.s2c, Array(data[30...]))
    script.json(7, Talk.result(2))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: unanswered", "s1 5: ok"])
    #expect(trace.footer.loss == ["tcp.gap": .init(count: 1, bytes: 10)])
    #expect(trace.balances)
  }

  @Test func `across frames leave what comes later, and what may be answered is not said to fail`()
  {
    var script = HTTP2Script()
    script.handshake(1)
    script.post(5, Talk.call(1), Talk.sid)
    let lost =
      script.headers(.s2c, 5, [":status: 200"]) + HTTP2Frames.data(5, Talk.result(1), end: true)
    script.lose(.s2c, lost.count)
    script.pause(5)
    script.post(7, Talk.call(2), Talk.sid)
    script.json(7, Talk.result(2))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: unanswered", "s1 5: ok"])
    #expect(trace.footer.loss["tcp.gap"] == .init(count: 1, bytes: lost.count))
    #expect(trace.footer.loss["h2.resync"]?.count == 1)
    #expect(trace.balances)
  }

  @Test func `of a request's end let its answer go on`() {
    var script = HTTP2Script()
    let asked =
      script.headers(.c2s, 1, [":method: POST", ":path: /mcp"])
      + HTTP2Frames.data(1, Talk.call(1), end: true)
    script.send(.c2s, Array(asked.dropLast(20)))
    script.lose(.c2s, 40)
    script.send(.c2s, HTTP2Frames.window(0) + HTTP2Frames.window(1))
    script.json(1, Talk.result(1))
    script.pause(5)
    script.request(3, "GET")
    script.empty(3, status: 204)
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.exchanges.map(\.status) == [200, 204])
    #expect(trace.exchanges.map(\.request.sha256) == [nil, trace.exchanges[1].request.sha256])
    #expect(trace.balances)
  }

  @Test(arguments: [true, false])
  func `that hit another stream's request cost this one nothing`(_ tellsLength: Bool) {
    var script = HTTP2Script()
    script.handshake(1)
    let length = tellsLength ? ["content-length: \(Talk.call(1).utf8.count)"] : []
    let head = [":method: POST", ":authority: h:80", ":path: /mcp", Talk.sid] + length
    script.send(.c2s, script.headers(.c2s, 5, head))
    script.send(.c2s, script.headers(.c2s, 7, head))
    script.lose(.c2s, HTTP2Frames.data(7, Talk.call(2), end: true).count)
    script.send(.c2s, HTTP2Frames.data(5, Talk.call(1), end: true))
    script.pause(5)
    script.json(5, Talk.result(1))
    script.json(7, Talk.result(2))
    script.pause(5)
    script.send(.c2s, HTTP2Frames.window(0))
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok"])
    #expect(trace.exchanges.map { $0.request.sha256 != nil } == [true, true, true, false])
    #expect(trace.exchanges.map(\.status) == [200, 202, 200, 200])
    #expect(trace.exchanges[2].sent == 7_000_000)
    #expect(trace.balances)
  }

  @Test func `that hit another stream's event cost this one nothing`() {
    var script = HTTP2Script()
    script.handshake(1)
    script.post(5, Talk.call(1), Talk.sid)
    script.post(7, Talk.call(2), Talk.sid)
    script.stream(5)
    script.stream(7)
    let event = Array("event: message\r\ndata: \(Talk.result(1))\r\n\r\n".utf8)
    script.event(5, Talk.progress)
    script.send(.s2c, HTTP2Frames.frame(0, stream: 5, Array(event[..<30])))
    script.lose(.s2c, 50)
    script.send(.s2c, HTTP2Frames.frame(0, flags: 1, stream: 5, Array(event[30...])))
    // Of the other stream the end of one event is lost, and not what follows.
    script.event(7, Talk.progress)
    script.event(7, Talk.result(2), end: true)
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok", "s1 5: ok"])
    #expect(trace.notifications.count == 3)
    // Nothing shows that the streams are whole.
    #expect(trace.exchanges.map { $0.response.sha256 != nil } == [true, true, false, false])
    #expect(trace.balances)
  }

  @Test func `that tear an event leave the next`() {
    var script = HTTP2Script()
    script.handshake(1)
    script.post(5, Talk.call(1), Talk.sid)
    script.stream(5)
    script.send(.s2c, HTTP2Frames.data(5, "event: message\r\ndata: {\"jsonrpc\""))
    script.lose(.s2c, 50)
    script.event(5, Talk.progress)
    script.lose(.s2c, 50)
    script.send(.s2c, HTTP2Frames.data(5, "rest of what was lost\r\n\r\n"))
    script.event(5, Talk.result(1), end: true)
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok"])
    #expect(trace.notifications.count == 2)
    #expect(trace.footer.loss["sse.incomplete_event"]?.count == 1)
    #expect(trace.balances)
  }

  @Test func `before the capture began leave names unknown but streams readable`() {
    var script = HTTP2Script(fromStart: false, greets: false)
    _ = script.headers(
      .c2s, 1,
      [
        ":authority: h:80", ":path: /mcp", "content-type: application/json",
        "accept: application/json, text/event-stream",
      ])
    _ = script.headers(.s2c, 1, ["content-type: text/event-stream"])
    script.send(.s2c, HTTP2Frames.data(1, "data: of before\r\n\r\n"))
    script.post(3, Talk.call(7), Talk.sid)
    script.pause(5)
    script.stream(3)
    script.event(3, Talk.progress)
    script.pause(5)
    script.event(3, Talk.result(7), end: true)
    script.pause(5)
    script.post(5, Talk.call(8), Talk.sid)
    script.json(5, Talk.result(8), status: 202)
    script.close()
    let trace = Dissected(script.events, options: Talk.audited)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok"])
    #expect(trace.sessions.map { $0.key?.value } == ["5e55"])
    #expect(trace.notifications.count == 1)
    #expect(trace.exchanges.map(\.method) == ["POST", "POST"])
    #expect(trace.exchanges.map(\.target) == ["", ""])
    #expect(trace.exchanges.map(\.flags) == [["hpack-unknown"], ["hpack-unknown"]])
    #expect(
      trace.requests.first?.headers?.map(\.name) == [
        "?hpack-65", "?hpack-64", "?hpack-63", "?hpack-62", "mcp-session-id", "content-length",
      ])
    #expect(trace.footer.loss["h2.unknown_stream"] == .init(count: 1, bytes: 19))
    #expect(trace.connectionLines.last?.content == .h2)
    #expect(trace.balances)
  }

  @Test func `and wrong bytes of any kind keep the balance`() {
    let seed = SeededGenerator.freshSeed("HTTP/2 spoil")
    var generator = SeededGenerator(seed: seed)
    var script = HTTP2Script()
    script.handshake(1)
    for i in 0..<8 {
      script.pause(3)
      script.post(5 + 4 * i, Talk.call(2 * i), Talk.sid)
      script.post(7 + 4 * i, Talk.call(2 * i + 1), Talk.sid)
      script.stream(7 + 4 * i)
      script.event(7 + 4 * i, Talk.progress)
      script.json(5 + 4 * i, Talk.result(2 * i))
      if i.isMultiple(of: 3) { script.send(.c2s, HTTP2Frames.reset(7 + 4 * i, 8)) }
      script.event(7 + 4 * i, Talk.result(2 * i + 1), end: true)
    }
    script.close()
    for _ in 0..<150 {
      var spoiled: [FlowEvent] = []
      for event in script.events {
        guard case .bytes(let id, let direction, var bytes, let at) = event else {
          spoiled.append(event)
          continue
        }
        switch Int.random(in: 0..<24, using: &generator) {
        case 0: spoiled.append(.gap(id, direction, count: bytes.readableBytes, at: at))
        case 1: break
        case 2:
          let index = bytes.readerIndex + Int.random(in: 0..<bytes.readableBytes, using: &generator)
          bytes.setInteger(UInt8.random(in: 0...255, using: &generator), at: index)
          spoiled.append(.bytes(id, direction, bytes, at: at))
        default: spoiled.append(event)
        }
      }
      let trace = Dissected(spoiled, options: Talk.audited)
      #expect(trace.balances)
      let open = Set(trace.requests.map { "\($0.session ?? "-") \($0.n)" })
      let closed = trace.responses.map { "\($0.session ?? "-") \($0.re)" }
      #expect(open == Set(closed))
      #expect(closed.count == Set(closed).count)
    }
  }
}
