import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

/// Lines of a trace but for the header and the footer, whose counters of packets are the source's.
private func body(_ events: [TraceEvent]) -> [String] {
  events.filter {
    switch $0 {
    case .header, .footer: false
    default: true
    }
  }.map(\.line.text)
}

struct `Bundled captures` {
  @Test(arguments: BundledCapture.names) func `give the trace beside them`(name: String) throws {
    let (events, t0) = try BundledCapture.flow(name)
    let got = body(Dissected(events, t0: t0).events)
    let path = BundledCapture.path("\(name).mcptrace")
    let want = body(try TraceReader.events(of: path))
    let difference = zip(got, want).first { $0 != $1 }
    #expect(difference?.0 == difference?.1, "first line that differs from \(path)")
    #expect(got.count == want.count)
  }

  @Test(arguments: BundledCapture.names) func `give the same messages however their bytes are cut`(
    name: String
  ) throws {
    let (events, t0) = try BundledCapture.flow(name)
    let seed = SeededGenerator.freshSeed("cut \(name)")
    var generator = SeededGenerator(seed: seed)
    var cut: [FlowEvent] = []
    for event in events {
      guard case .bytes(let id, let direction, let bytes, let at) = event else {
        cut.append(event)
        continue
      }
      for chunk in Rechunking.random(Array(bytes.readableBytesView), using: &generator) {
        cut.append(.bytes(id, direction, chunk, at: at))
      }
    }
    #expect(body(Dissected(cut, t0: t0).events) == body(Dissected(events, t0: t0).events))
  }

  @Test(arguments: BundledCapture.names) func `close the balance when bytes are lost or wrong`(
    name: String
  ) throws {
    let (events, t0) = try BundledCapture.flow(name)
    let seed = SeededGenerator.freshSeed("spoil \(name)")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      var spoiled: [FlowEvent] = []
      for event in events {
        guard case .bytes(let id, let direction, var bytes, let at) = event else {
          spoiled.append(event)
          continue
        }
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: spoiled.append(.gap(id, direction, count: bytes.readableBytes, at: at))
        case 1:
          let index = bytes.readerIndex + Int.random(in: 0..<bytes.readableBytes, using: &generator)
          bytes.setInteger(UInt8.random(in: 0...255, using: &generator), at: index)
          spoiled.append(.bytes(id, direction, bytes, at: at))
        default: spoiled.append(event)
        }
      }
      let trace = Dissected(spoiled, t0: t0)
      #expect(trace.balances)
      let open = Set(trace.requests.map { "\($0.session ?? "-") \($0.n)" })
      let closed = trace.responses.map { "\($0.session ?? "-") \($0.re)" }
      #expect(open == Set(closed))
      #expect(closed.count == Set(closed).count)
    }
  }
}

struct `Random bytes` {
  @Test func `are counted, whatever they are`() {
    let seed = SeededGenerator.freshSeed("random bytes")
    var generator = SeededGenerator(seed: seed)
    let seeds = [
      "", "POST /mcp HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "GET / HTTP/1.1\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n", "data: {}\n\n",
      "content-type: text/event-stream\r\n\r\n", "\u{16}\u{3}",
    ]
    for _ in 0..<400 {
      var script = FlowScript()
      let a = script.open(fromStart: Bool.random(using: &generator))
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        let noise = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
          Character(Unicode.Scalar(UInt8.random(in: 0...255, using: &generator)))
        }
        let text = (seeds.randomElement(using: &generator) ?? "") + String(noise)
        script.send(a, Bool.random(using: &generator) ? .c2s : .s2c, text)
        if Int.random(in: 0..<9, using: &generator) == 0 { script.lose(a, .c2s, 17) }
        script.pause(1)
      }
      if Bool.random(using: &generator) { script.close(a) }
      #expect(Dissected(script.events).balances)
    }
  }
}
