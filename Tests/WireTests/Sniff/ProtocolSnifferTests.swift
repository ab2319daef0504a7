import NIOCore
import Testing
import Wire

struct `Protocol sniffer` {
  @Test(arguments: [
    ("POST /mcp HTTP/1.1\r\n", SniffedProtocol.http1), ("GET /abcd", .http1),
    ("HTTP/1.1 200 OK", .http1), ("HTTP/1.0 2", .http1), ("OPTIONS * HTTP/1.1", .http1),
    ("\r\nPOST /mcp HTTP/1.1\r\n", .http1), ("PROPFIND /x HTTP/1.1", .http1),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .http2),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u{0}\u{0}", .http2),
    ("\u{16}\u{3}\u{1}\u{2}", .tls), ("\u{16}\u{3}", .tls),
    ("SSH-2.0-OpenSSH_9.2\r\n", .unknown), ("\u{0}\u{0}\u{13}", .unknown),
    ("\u{0}\u{0}\u{12}", .undecided),
    ("\u{0}\u{0}\u{12}\u{4}\0\0\0\0\0", .http2),
    ("\u{0}\u{0}\u{12}\u{4}\u{1}\0\0", .unknown),
    ("{\"id\":1}", .unknown),
    ("\u{16}\u{4}", .unknown), ("HTTP/2 200", .unknown), ("GET \u{1}abcdef", .unknown),
    ("AB / HTTP/1.1", .unknown), ("220 mail ESMTP\r\n", .unknown), ("hello world", .unknown),
    ("", .undecided), ("P", .undecided), ("PR", .undecided), ("PRI * HTTP/2.0\r", .undecided),
    ("PO", .undecided), ("GET /a", .undecided), ("HTTP/1.", .undecided), ("\u{16}", .undecided),
    ("\r\n", .undecided), ("H", .undecided),
  ])
  func `decides by the first bytes`(_ text: String, _ protocol: SniffedProtocol) {
    #expect(SniffedProtocol(firstBytes: ByteBuffer(string: text)) == `protocol`)
  }

  @Test(arguments: [
    "POST /mcp HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u{16}\u{3}\u{1}",
    "PROPPATCH / HTTP/1.1\r\n", "PRIV / HTTP/1.1\r\n", "\u{0}\u{1}\u{2}",
  ])
  func `never changes its mind as more bytes come`(_ text: String) {
    let bytes = Array(text.utf8)
    let final = SniffedProtocol(firstBytes: ByteBuffer(bytes: bytes))
    let before = bytes.indices.map { SniffedProtocol(firstBytes: ByteBuffer(bytes: bytes[..<$0])) }
    #expect(before.allSatisfy { $0 == .undecided || $0 == final })
    #expect(final != .undecided)
  }
}
