import Basics
import NIOCore
import TestKit
import Testing
import Trace

struct `Transfer codings` {
  /// The answer to a call, sent with these fields.
  private func answered(_ fields: String, _ body: ByteBuffer) -> Dissected {
    var script = FlowScript()
    let flow = script.open()
    script.post(flow, #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
    script.pause(1)
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\(fields)\r\n\r\n"
    let size = String(body.readableBytes, radix: 16)
    script.send(flow, .s2c, "\(head)\(size)\r\n")
    script.send(flow, .s2c, Array(body.readableBytesView))
    script.send(flow, .s2c, "\r\n0\r\n\r\n")
    script.close(flow)
    return Dissected(script.events)
  }

  private static let result = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":{}}"#)

  @Test func `are removed as those of the content`() {
    let once = Deflate.whole(Self.result, .gzip)
    let twice = Deflate.whole(once, .zlib)
    for (fields, body) in [
      ("Transfer-Encoding: gzip, chunked", once), ("Transfer-Encoding: x-gzip,chunked", once),
      ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", once),
      ("Content-Encoding: gzip\r\nTransfer-Encoding: deflate, chunked", twice),
      ("Transfer-Encoding: gzip, chunked", Self.result),
    ] {
      let trace = answered(fields, body)
      #expect(trace.outcomes == ["s1 1: ok"], "\(fields)")
      #expect(trace.footer.loss == [:], "\(fields)")
      #expect(trace.balances)
    }
  }

  @Test func `that are not known are counted`() {
    let trace = answered("Transfer-Encoding: compress, chunked", Self.result)
    #expect(trace.footer.loss == ["content.undecoded": .init(count: 1, bytes: 0)])
    #expect(trace.balances)
  }
}
