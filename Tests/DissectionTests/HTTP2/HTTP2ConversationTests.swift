import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

struct `HTTP/2 conversations` {
  @Test func `say what they say over HTTP/1`() throws {
    var two = HTTP2Script()
    two.handshake(1)
    two.pause(100)
    two.post(5, Talk.call(1), Talk.sid)
    two.pause(3)
    two.stream(5)
    two.pause(2)
    two.event(5, Talk.progress)
    two.pause(4)
    two.event(5, Talk.result(1), end: true)
    two.pause(9)
    two.request(7, "DELETE", Talk.sid)
    two.pause(2)
    two.empty(7, status: 200)
    two.close()

    var one = FlowScript()
    let flow = one.open()
    one.post(flow, Talk.initialize)
    one.pause(5)
    one.json(flow, Talk.initialized, Talk.sid)
    one.pause(1)
    one.post(flow, Talk.ready, Talk.sid)
    one.pause(1)
    one.send(flow, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    one.pause(100)
    one.post(flow, Talk.call(1), Talk.sid)
    one.pause(3)
    one.stream(flow)
    one.pause(2)
    one.event(flow, Talk.progress)
    one.pause(4)
    one.event(flow, Talk.result(1))
    one.lastChunk(flow)
    one.pause(9)
    one.request(flow, "DELETE", Talk.sid)
    one.pause(2)
    one.send(flow, .s2c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    one.close(flow)

    let trace = Dissected(two.events)
    func plain(_ trace: Dissected) -> [String] {
      trace.events.compactMap { event -> TraceEvent? in
        switch event {
        case .request(var line):
          line.headers = nil
          line.stream = nil
          return .request(line)
        case .response(var line):
          line.headers = nil
          return .response(line)
        case .notification(var line):
          line.headers = nil
          return .notification(line)
        case .http(var line):
          line.headers = nil
          return .http(line)
        case .connection, .exchange: return nil
        default: return event
        }
      }.map(\.line.text)
    }
    #expect(plain(trace) == plain(Dissected(one.events)))
    #expect(trace.balances)
    #expect(trace.losses.isEmpty)
    #expect(trace.requests.map(\.stream) == [1, 5])
    #expect(trace.connectionLines.map(\.content) == [nil, .h2])
    #expect(
      trace.requests[0].headers?.map { "\($0.name): \($0.value)" } == [
        "host: h:80", "content-type: application/json",
        "accept: application/json, text/event-stream",
        "content-length: \(Talk.initialize.utf8.count)",
      ])
    #expect(trace.sessions.first?.authority == "h:80")
  }

  @Test func `of several sessions share a connection`() {
    var script = HTTP2Script()
    script.handshake(1, "mcp-session-id: one")
    script.handshake(5, "mcp-session-id: two")
    script.pause(50)
    script.post(9, Talk.call(1), "mcp-session-id: one")
    script.post(11, Talk.call(1), "mcp-session-id: two")
    script.stream(11)
    script.stream(9)
    script.pause(10)
    script.event(11, Talk.progress)
    script.pause(10)
    script.event(9, Talk.result(1), end: true)
    script.pause(10)
    script.event(11, Talk.result(1), end: true)
    script.close()
    let trace = Dissected(script.events)
    #expect(trace.sessions.map { $0.key?.value } == ["one", "two"])
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok", "s2 1: ok", "s2 4: ok"])
    #expect(
      trace.responses.suffix(2).map { "\($0.session ?? "-") \($0.done ?? 0)" } == [
        "s1 84000000", "s2 94000000",
      ])
    #expect(trace.losses.isEmpty)
  }

  @Test func `segmentation changes nothing`() {
    let seed = SeededGenerator.freshSeed("HTTP/2 conversation")
    var generator = SeededGenerator(seed: seed)
    var script = HTTP2Script()
    script.handshake(1)
    script.post(5, Talk.call(1), Talk.sid)
    script.post(7, Talk.call(2), Talk.sid)
    script.stream(5)
    script.event(5, Talk.progress)
    script.json(7, Talk.result(2))
    script.event(5, Talk.result(1), end: true)
    script.close()
    let whole = Dissected(script.events, options: Talk.audited).events.map(\.line.text)
    for _ in 0..<40 {
      let cut = script.events.flatMap { event -> [FlowEvent] in
        guard case .bytes(let id, let direction, let bytes, let at) = event else { return [event] }
        return Rechunking.random(Array(bytes.readableBytesView), using: &generator)
          .map { .bytes(id, direction, $0, at: at) }
      }
      #expect(Dissected(cut, options: Talk.audited).events.map(\.line.text) == whole)
    }
  }
}
