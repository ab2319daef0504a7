import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

/// What a dissection keeps of the blocks in which a source reads.
struct `Blocks of a source` {
  /// What a connection was brought when it falls silent.
  private static let conversations: [[(Direction, String)]] = [
    [(.c2s, "PO")],
    [(.c2s, "POST /mcp HTTP/1.1\r\nHost: a\r\n")],
    [(.c2s, post), (.s2c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")],
    [(.c2s, post), (.s2c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {")],
    [(.c2s, post), (.s2c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")],
    [(.c2s, note)],
    [(.s2c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!")],
    [(.c2s, "CONNECT b:1 HTTP/1.1\r\n\r\n"), (.s2c, "HTTP/1.1 200 OK\r\n\r\n"), (.c2s, "PO")],
    [(.c2s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\u{4}")],
    [(.c2s, "\u{16}\u{3}\u{1}\0\u{50}\u{1}")],
    [(.c2s, "\u{5}\u{1}\0"), (.s2c, "\u{5}\0")],
  ]

  private static let post = message(
    #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","a":[1,2,3]}}"#)
  private static let note = message(
    #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7}}"#)

  private static func message(_ body: String) -> String {
    "POST /mcp HTTP/1.1\r\nMcp-Session-Id: s\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private static func opened(_ number: Int) -> FlowEvent {
    let ends = FlowEnds(
      client: Endpoint(host: "127.0.0.1", port: number), server: Endpoint(host: "a", port: 80),
      seenFromStart: true)
    return .opened(FlowID(number), ends, at: Timestamp(nanoseconds: 0))
  }

  /// Whether nobody but the caller has a part of the block: only then is it changed where it is.
  private static func isAlone(_ block: inout ByteBuffer) -> Bool {
    let before = unsafe block.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    block.setInteger(UInt8(0), at: block.readerIndex)
    let after = unsafe block.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    return before == after
  }

  @Test(arguments: conversations.indices) func `are let go by what waits for long`(_ i: Int) {
    let lines = TraceLines(.events)
    let dissector = Dissector(
      t0: Timestamp(nanoseconds: 0), options: DissectionOptions(), lines: lines)
    var block = ByteBuffer()
    var places: [(Direction, Int, Int)] = []
    for (direction, text) in Self.conversations[i] {
      places.append((direction, block.writerIndex, text.utf8.count))
      block.writeString(text)
    }
    block.writeRepeatingByte(0, count: 1 << 20)
    dissector.append(Self.opened(1))
    for (direction, start, count) in places {
      if let part = block.getSlice(at: start, length: count) {
        dissector.append(.bytes(FlowID(1), direction, part, at: Timestamp(nanoseconds: 1)))
      }
    }
    _ = lines.takeEvents()
    // Somebody else goes on.
    dissector.append(Self.opened(2))
    let other = ByteBuffer(repeating: 0x61, count: 1 << 20)
    for at in 2..<8 {
      dissector.append(.bytes(FlowID(2), .c2s, other, at: Timestamp(nanoseconds: Int64(at))))
    }
    #expect(Self.isAlone(&block))
  }

  @Test func `are held by a slice`() {
    var block = ByteBuffer(repeating: 0, count: 1 << 20)
    var part = block.getSlice(at: 7, length: 3)
    #expect(!Self.isAlone(&block))
    part = nil
    #expect(Self.isAlone(&block))
    #expect(part == nil)
  }
}

struct `Layers that carry one another` {
  @Test func `are sixteen at most`() {
    let connect = "CONNECT a:1 HTTP/1.1\r\n\r\n"
    let accepted = "HTTP/1.1 200 OK\r\n\r\n"
    var script = FlowScript()
    let flow = script.open()
    for _ in 0..<40 {
      script.send(flow, .c2s, connect)
      script.pause(1)
      script.send(flow, .s2c, accepted)
      script.pause(1)
    }
    script.close(flow)
    let trace = Dissected(script.events)
    let lost = 24 * (connect.utf8.count + accepted.utf8.count)
    #expect(trace.footer.loss == ["limit.stream_layers": .init(count: 1, bytes: lost)])
    #expect(trace.balances)
  }

  @Test func `are none where a handshake has a hole`() {
    var script = FlowScript()
    let flow = script.open()
    script.lose(flow, .c2s, 10)
    script.send(flow, .c2s, "\u{5}\u{1}\0")
    script.close(flow)
    let trace = Dissected(script.events)
    #expect(trace.footer.loss["http.midstream"] == .init(count: 1, bytes: 3))
    #expect(trace.balances)
  }
}

struct `Limits of a dissection` {
  @Test func `of requests that wait for an answer give up the oldest`() {
    var script = FlowScript()
    let flow = script.open()
    for id in 0..<4100 {
      script.post(flow, #"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"#)
      script.pause(1)
    }
    script.json(flow, #"{"jsonrpc":"2.0","id":4099,"result":{}}"#)
    script.close(flow)
    let trace = Dissected(script.events)
    #expect(trace.footer.loss == ["limit.http1_pipeline": .init(count: 4, bytes: 0)])
    #expect(trace.requests.count == 4100)
    #expect(trace.responses.filter { $0.outcome == .ok }.count == 1)
    #expect(trace.responses.filter { $0.outcome == .unanswered }.count == 4099)
    #expect(trace.balances)
  }

  @Test func `of requests of a session give up the older half`() {
    var script = FlowScript()
    let flow = script.open()
    script.request(flow, "GET", "Accept: text/event-stream")
    script.pause(1)
    script.send(
      flow, .s2c,
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        + "event: endpoint\ndata: /mcp\n\n")
    let other = script.open()
    for id in 0..<4097 {
      script.pause(1)
      script.post(other, #"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"#)
      script.json(other, "", status: 202)
    }
    let trace = Dissected(script.events)
    #expect(trace.footer.loss == ["limit.open_requests": .init(count: 2048, bytes: 0)])
    #expect(trace.responses.map(\.re) == Array(trace.requests.map(\.n)))
    #expect(trace.balances)
  }

  @Test func `of sessions end those that are silent for longest`() {
    var script = FlowScript()
    let flow = script.open()
    for id in 0..<16_385 {
      script.request(flow, "DELETE", "Mcp-Session-Id: \(id)")
      script.pause(1)
      script.json(flow, "")
    }
    let trace = Dissected(script.events)
    #expect(trace.footer.loss == ["limit.sessions": .init(count: 4096, bytes: 0)])
    #expect(trace.ends.count == 16_385)
    #expect(trace.balances)
  }
}
