import Basics
import NIOCore
import Testing
import Wire

struct `HTTP/1 heads` {
  static let longMethod = "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF"

  @Test(arguments: [
    ("GET", "/a?b=c#d", "1.1"), ("GET", "http://h:1/p", "1.1"), ("CONNECT", "h:443", "1.1"),
    ("OPTIONS", "*", "1.0"), ("get", "/", "1.1"), ("M-SEARCH", "/x", "1.1"),
    ("X!#$%&'*+-.^_`|~9", "/", "1.9"), ("GET", "/a b", "1.1"), ("GET", "/é", "1.1"),
    (longMethod, "/x", "1.1"), ("GET", "/", "2.0"), ("GET", "/", "1"), ("GET", "/", "1.x"),
    ("GET", "/", "01.1"), ("GET", "/", ""),
  ])
  func `a request line has method, target and version`(
    _ method: String, _ target: String, _ version: String
  ) {
    expectEvents(
      "\(method) \(target) HTTP/\(version)\r\n\r\n", .request,
      [.request(method, target, []), .end(complete: true)])
  }

  @Test(arguments: [
    ("GET /", "GET", "/"), ("GET /HTTP/1.1", "GET", "/HTTP/1.1"), ("GET", "GET", ""),
    ("OPTIONS HTTP/1.1", "OPTIONS", "HTTP/1.1"), (" GET / http/1.1", "GET", "/"),
    ("GET\t/ HTTP/1.1", "GET", "/"), ("POST  /  HTTP/1.0", "POST", "/"),
    ("GET /a b HTTP/1.1 ", "GET", "/a b"), ("\u{0}GET / HTTP/1.1", "GET", "/"),
  ])
  func `an odd request line has what can be found in it`(
    _ line: String, _ method: String, _ target: String
  ) {
    expectEvents(
      "\(line)\r\nA: b\r\n\r\n", .request,
      [.request(method, target, ["A: b"]), .end(complete: true)])
  }

  @Test(arguments: [
    " / HTTP/1.1", "G(T / HTTP/1.1", "HTTP/1.1 200 OK", longMethod + "G / HTTP/1.1",
    "GÉT / HTTP/1.1", "{}", "x", "LOCK /", "get /", "OPTIONS rtsp://a RTSP/1.0", "GET/ HTTP/1.1",
    "OPTIONS sip:a SIP/2.0",
  ])
  func `what is no request line is skipped with its head`(_ line: String) {
    let bytes = line + "\r\nA: b\r\n\r\n"
    expectEvents(bytes, .request, [.skipped(bytes.utf8.count, .malformed)], isFollowed: false)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK", 200), ("HTTP/1.0 404 Not Found", 404), ("HTTP/1.1 200", 200),
    ("HTTP/1.1 200 ", 200), ("HTTP/1.1 999 \u{e9}", 999), ("HTTP/1.1 599 200 OK", 599),
    ("HTTP/1.1  200 OK", 200), ("HTTP/1.1\t 200\u{0} ok", 200), ("HTTP/2.1 200 ok", 200),
    ("HTTP/1.01 200 ok", 200), ("http/1.1 200 OK", 200), ("ICY 200 OK", 200),
    ("HTTP/1.1 2000", 200), ("HTTP/1.\u{ff} 200 OK", 200),
  ])
  func `a status line has version and status`(_ line: String, _ status: Int) {
    expectEvents(
      line + "\r\nContent-Length: 0\r\n\r\n",
      [.response(status, ["Content-Length: 0"]), .end(complete: true)])
  }

  @Test(arguments: [
    "HTTP/1.1 20 OK", "HTTP/1.1 099 OK", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 2x0 OK",
    "HTTP/1.1200 OK", "GET / HTTP/1.1", "HTT/1.1 200 OK", "200 OK",
  ])
  func `what is no status line is skipped with its head`(_ line: String) {
    let bytes = line + "\r\nA: b\r\n\r\n"
    expectEvents(bytes, .response, [.skipped(bytes.utf8.count, .malformed)], isFollowed: false)
  }

  @Test func `fields keep order, case and repetition`() {
    expectEvents(
      "GET / HTTP/1.1\r\nb: 2\r\nA: 1\r\nb: 2\r\nB:\r\n\r\n", .request,
      [.request("GET", "/", ["b: 2", "A: 1", "b: 2", "B: "]), .end(complete: true)])
  }

  @Test func `fields lose the white space around name and value`() {
    expectEvents(
      "GET / HTTP/1.1\r\nA:b\r\nC: \t d e \t\r\nF : g\r\nH:i:j\r\n\r\n", .request,
      [.request("GET", "/", ["A: b", "C: d e", "F: g", "H: i:j"]), .end(complete: true)])
  }

  @Test func `a folded field is one line`() {
    expectEvents(
      "GET / HTTP/1.1\r\nA: b\r\n c\r\n\td \r\nE:\r\n f\r\n \r\nG: h\r\n\r\n", .request,
      [.request("GET", "/", ["A: b c d", "E: f", "G: h"]), .end(complete: true)])
  }

  @Test func `a name may stand before its colon's line`() {
    expectEvents(
      "GET / HTTP/1.1\r\nA\r\n :b\r\nC\r\n \r\n : d\r\nE\r\n f\r\nG: h\r\n\r\n", .request,
      [.request("GET", "/", ["A: b", "C: d", "G: h"]), .end(complete: true)])
  }

  @Test(arguments: [
    ("A: b\rC: d\r\n", ["A: b", "C: d"]), ("\rA: b\r\n", ["A: b"]), ("\r\rA: b\r\n", ["A: b"]),
    ("A: \rb\r\n", ["A: b"]), ("A: b\rc\r\n", ["A: b\rc"]),
    ("A: b\r \rC: d\r\n", ["A: b", "C: d"]),
    ("A: b\u{0}\r\n", ["A: b"]), ("A\u{0}: b\r\n", ["A\u{0}: b"]), ("A :b\r\n", ["A: b"]),
    ("A:: b\r\n", ["A: : b"]),
  ])
  func `a bare CR ends a line where a field follows`(_ lines: String, _ fields: [String]) {
    expectEvents(
      "GET / HTTP/1.1\r\n\(lines)\r\n", .request,
      [.request("GET", "/", fields), .end(complete: true)])
  }

  @Test func `a line without a colon is no field`() {
    expectEvents(
      "GET / HTTP/1.1\r\nnonsense\r\nA: b\r\n\r\n", .request,
      [.request("GET", "/", ["A: b"]), .end(complete: true)])
  }

  @Test func `lines may end in a bare LF`() {
    expectEvents(
      "GET / HTTP/1.1\nA: b\n\nPOST / HTTP/1.1\r\nContent-Length: 1\n\r\nxGET /c HTTP/1.1\r\n\n",
      .request,
      [
        .request("GET", "/", ["A: b"]), .end(complete: true),
        .request("POST", "/", ["Content-Length: 1"]), .body("x"), .end(complete: true),
        .request("GET", "/c", []), .end(complete: true),
      ])
  }

  @Test func `empty lines before a message are ignored`() {
    expectEvents(
      "\r\n\n\r\nGET / HTTP/1.1\r\n\r\n\r\n\r\nGET /b HTTP/1.1\r\n\r\n\r\n", .request,
      [
        .request("GET", "/", []), .end(complete: true),
        .request("GET", "/b", []), .end(complete: true),
      ])
  }

  @Test func `bytes that are not UTF-8 are read as Latin-1`() {
    var bytes = Array("GET /".utf8) + [0xe9] + Array(" HTTP/1.1\r\nA: ".utf8) + [0xfc, 0x80]
    bytes += Array("\r\nB: é\u{0}\r\n\r\n".utf8)
    let (said, accounted) = Direct.request.play([ByteBuffer(bytes: bytes)])
    #expect(
      said == [.request("GET", "/é", ["A: ü\u{80}", "B: é"]), .end(complete: true)])
    #expect(accounted == bytes.count)
  }

  @Test func `a head as long as the limit is read`() {
    let start = "GET / HTTP/1.1\r\nA: "
    let value = String(repeating: "x", count: HTTP1Decoder.headLimit - start.utf8.count - 4)
    let bytes = Array((start + value + "\r\n\r\n").utf8)
    #expect(bytes.count == HTTP1Decoder.headLimit)
    let expected = [Said.request("GET", "/", ["A: " + value]), .end(complete: true)]
    for chunks in [[ByteBuffer(bytes: bytes)], bytes.map { ByteBuffer(bytes: [$0]) }] {
      let (said, accounted) = Direct.request.play(chunks)
      #expect(said == expected)
      #expect(accounted == bytes.count)
    }
  }

  @Test func `a head longer than the limit is skipped up to the next message`() {
    let head = "GET / HTTP/1.1\r\nA: " + String(repeating: "x", count: HTTP1Decoder.headLimit)
    let next = "GET /b HTTP/1.1\r\n\r\n"
    for size in [1000, 70_000] {
      var chunks: [ByteBuffer] = []
      var rest = Array((head + "\r\n\r\n").utf8)[...]
      while !rest.isEmpty {
        chunks.append(ByteBuffer(bytes: rest.prefix(size)))
        rest = rest.dropFirst(size)
      }
      let (said, _) = Direct.request.play(chunks + [ByteBuffer(string: next)])
      #expect(
        said == [
          .skipped(head.utf8.count + 4, .headTooLong), .request("GET", "/b", []),
          .end(complete: true),
        ])
    }
  }
}
