import NIOCore
import Proxy
import TestKit
import Testing

struct `Host rewriter` {
  private static let post =
    "POST /mcp HTTP/1.1\r\nhOst: \t localhost:80 \r\nContent-Length: 9\r\nX-Host: a\r\n\r\nHost: b\r\n"
  private static let chunked =
    "\r\nPOST /mcp HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost:c\r\n\r\n9\r\nHost: d\r\n\r\n0\r\nHost: e\r\n\r\n"
  private static let bare = "GET / HTTP/1.0\nAccept: x\nHost: f\n\n"
  private static let without = "GET /x HTTP/1.0\r\nReferer: Host: g\r\n\r\n"

  /// What goes in, and what comes out with the host `h`.
  private static let conversations: [(String, String)] = [
    (
      post + chunked + bare + without,
      post.replacing("localhost:80 ", with: "h") + chunked.replacing("Host:c", with: "Host:h")
        + bare.replacing("f\n", with: "h\n") + without
    ),
    // Other protocols, from the first byte or behind a request.
    ("\u{16}\u{03}\u{01}\nHost: a\r\n", "\u{16}\u{03}\u{01}\nHost: a\r\n"),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nHost: a\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nHost: a\r\n"),
    (
      bare + "\u{01}\u{02}GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      bare.replacing("f\n", with: "h\n") + "\u{01}\u{02}GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    ),
    (
      "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    ),
    // A head that never ends.
    ("GET / HTTP/1.1\r\nHost: a", "GET / HTTP/1.1\r\nHost: a"),
    ("GE", "GE"),
  ]

  @Test func `changes nothing but values of Host, however the bytes are cut`() {
    var random = SeededGenerator(seed: 6)
    for (input, wanted) in Self.conversations {
      let bytes = Array(input.utf8)
      var cuts =
        Rechunking.everySplit(bytes) + [[ByteBuffer(bytes: bytes)], Rechunking.bytewise(bytes)]
      for _ in 0..<50 { cuts.append(Rechunking.random(bytes, using: &random)) }
      for cut in cuts {
        var rewriter = HostRewriter(host: "h")
        var out = ByteBuffer()
        for chunk in cut { out.writeImmutableBuffer(rewriter.rewrite(chunk)) }
        out.writeImmutableBuffer(rewriter.release())
        #expect(String(buffer: out) == wanted, "\(cut.map { String(buffer: $0) })")
      }
    }
  }

  @Test func `holds heads alone: bodies and other protocols pass at once`() {
    var rewriter = HostRewriter(host: "h")
    #expect(rewriter.rewrite(ByteBuffer(string: "POST / HTTP/1.1\r\nContent-")) == ByteBuffer())
    #expect(
      rewriter.rewrite(ByteBuffer(string: "Length: 4\r\n\r\nG"))
        == ByteBuffer(string: "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nG"))
    #expect(rewriter.rewrite(ByteBuffer(string: "ET")) == ByteBuffer(string: "ET"))
    #expect(rewriter.rewrite(ByteBuffer(string: " ")) == ByteBuffer(string: " "))
    #expect(rewriter.rewrite(ByteBuffer(string: "GET")) == ByteBuffer())
    #expect(rewriter.rewrite(ByteBuffer(string: "\u{00}")) == ByteBuffer(string: "GET\u{00}"))
    #expect(rewriter.isOpaque)
    #expect(rewriter.rewrite(ByteBuffer(string: "x")) == ByteBuffer(string: "x"))
  }

  @Test func `passes a head that is too long as it is`() {
    var rewriter = HostRewriter(host: "h")
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 65_536)
    #expect(rewriter.rewrite(ByteBuffer(string: head)) == ByteBuffer(string: head))
    #expect(rewriter.isOpaque)
  }
}
