import Basics
import NIOCore
import TestKit
import Testing
import Wire

/// Heads like the ones before are read as if they were the first.
struct `HTTP/1 heads that come again` {
  private static func request(_ fields: String, _ body: String = "") -> String {
    "POST /mcp HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
  }

  /// Messages of which each would be framed wrongly if it were taken for one before.
  private static let requests = [
    request("Content-Length: 2\r\nX: y", "ab"),
    request("Content-Length: 13\r\nX: y", "abcdefghijklm"),
    request("Content-Length: 002\r\nX: y", "ab"),
    request("Content-Length: 0\r\nX: y"),
    request("Content-Length: 2\r\nX: z", "ab"),
    request("Content-Length: 2\r\nX: yy", "ab"),
    request("Content-Length: 2, 2\r\nX: y", "ab"),
    request("Content-Length: 1\r\nContent-Length: 2", "ab"),
    request("Content-Length: 3\r\nContent-Length: 2", "ab"),
    request("Content-Length: 1\r\nTransfer-Encoding: chunked", "2\r\nab\r\n0\r\n\r\n"),
    request("Content-Length: 4\r\nTransfer-Encoding: chunked", "2\r\nab\r\n0\r\n\r\n"),
    request("Transfer-Encoding: chunked", "1\r\na\r\n0\r\n\r\n"),
    request("Content-Length: 2 \r\nX: y", "ab"),
    request("Content-Length: 2\r\n X: y", "ab"),
    request("X: y"),
    "GET /mcp HTTP/1.1\r\nHost: a\r\n\r\n",
  ]

  private static let responses = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcdefghij",
    "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n!\r\n0\r\n\r\n",
  ]

  private static func said(_ direct: Direct, _ texts: [String]) -> [Said] {
    texts.flatMap { direct.play([ByteBuffer(string: $0)]).said }
  }

  @Test(arguments: [(Direct.request, requests), (Direct.response, responses)])
  func `say the same behind any other`(_ direct: Direct, _ texts: [String]) {
    for first in texts {
      for second in texts {
        for third in [first, second] {
          let all = [first, second, third]
          let played = direct.play(all.map { ByteBuffer(string: $0) }).said
          #expect(played == Self.said(direct, all), "\(all)")
        }
      }
    }
  }

  @Test func `share what they say`() {
    var decoder = HTTP1Decoder(role: .request)
    var blocks: [HeaderBlock] = []
    var lengths: [String?] = []
    for text in Self.requests.prefix(4) + Self.requests.prefix(1) {
      decoder.append(ByteBuffer(string: text), at: Timestamp(nanoseconds: 0))
      while let event = decoder.next() {
        guard case .request(let head) = event else { continue }
        blocks.append(head.fields.block)
        lengths.append(head.fields.first(.contentLength))
      }
    }
    #expect(blocks.allSatisfy { $0 === blocks[0] })
    #expect(lengths == ["2", "13", "002", "0", "2"])
    decoder.rest()
    decoder.append(ByteBuffer(string: Self.requests[0]), at: Timestamp(nanoseconds: 0))
    guard case .request(let head) = decoder.next() else {
      Issue.record("a request is said")
      return
    }
    #expect(head.fields.block !== blocks[0])
  }

  @Test func `say the same however they are cut`() {
    let texts = Self.requests + Self.requests.reversed()
    let bytes = Array(texts.joined().utf8)
    let whole = Direct.request.play([ByteBuffer(bytes: bytes)]).said
    for size in [1, 7, 50, 64] {
      let pieces = stride(from: 0, to: bytes.count, by: size).map {
        ByteBuffer(bytes: bytes[$0..<min($0 + size, bytes.count)])
      }
      #expect(Direct.request.play(pieces).said == whole)
    }
  }
}
