import Basics
import NIOCore
import Testing
import Wire

struct `HTTP/1 framing` {
  static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
  static let chunkedHead = Said.response(200, ["Transfer-Encoding: chunked"])

  struct Chunks: CustomTestStringConvertible {
    var wire: String
    var said: [Said]
    var testDescription: String { wire.debugDescription }
  }

  static let wellFramed: [Chunks] = [
    Chunks(wire: "0\r\n\r\n", said: []),
    Chunks(wire: "5\r\nhello\r\n0\r\n\r\n", said: [.body("hello")]),
    Chunks(wire: "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", said: [.body("hello")]),
    Chunks(wire: "a\r\n0123456789\r\n0\r\n\r\n", said: [.body("0123456789")]),
    Chunks(wire: "A\r\n0123456789\r\n0\r\n\r\n", said: [.body("0123456789")]),
    Chunks(wire: "0000000000000000000002\r\nhi\r\n0000\r\n\r\n", said: [.body("hi")]),
    Chunks(wire: "2;a=b;c=\"d\"\r\nhi\r\n0;last\r\n\r\n", said: [.body("hi")]),
    Chunks(wire: "2 \t\r\nhi\r\n0 \r\n\r\n", said: [.body("hi")]),
    Chunks(wire: "2\nhi\n0\n\n", said: [.body("hi")]),
    Chunks(wire: " 2\r\nhi\r\n\t0\r\n\r\n", said: [.body("hi")]),
    Chunks(wire: "0x2\r\nhi\r\n+0\r\n\r\n", said: [.body("hi")]),
    Chunks(wire: "2 what\r\nhi\r\n0 ever\r\n\r\n", said: [.body("hi")]),
    Chunks(wire: "\r\n2\r\nhi\r\n\n0\r\n\r\n", said: [.body("hi")]),
    Chunks(wire: "2\r\n\r\n\r\n0\r\n\r\n", said: [.body("\r\n")]),
    Chunks(
      wire: "2\r\nhi\r\n0\r\nDigest: x\r\nB:  y \r\n\r\n",
      said: [.body("hi"), .trailers(["Digest: x", "B: y"])]),
    Chunks(
      wire: "2\r\nhi\r\n0\r\nno colon\r\nA: b\r\n\r\n", said: [.body("hi"), .trailers(["A: b"])]),
  ]

  @Test(arguments: wellFramed)
  func `chunks are joined`(_ chunks: Chunks) {
    expectEvents(
      Self.chunked + chunks.wire, [Self.chunkedHead] + chunks.said + [.end(complete: true)])
  }

  @Test func `a request may be chunked`() {
    expectEvents(
      "POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", .request,
      [
        .request("POST", "/", ["transfer-encoding: Chunked"]), .body("x"), .end(complete: true),
      ])
  }

  @Test func `a next message ends trailers that lack their empty line`() {
    expectEvents(
      Self.chunked + "1\r\nx\r\n0\r\n", [Self.chunkedHead, .body("x"), .end(complete: true)])
  }

  @Test(arguments: [
    ("1\r\nx\r\n", false), ("1\r\nx\r\n0", false), ("1\r\nx", false), ("1\r\nx\r", false),
    ("1\r\nx\r\n0\r\n", true), ("1\r\nx\r\n0\r\n\r", true), ("1\r\nx\r\n0\r\nA: b", false),
  ])
  func `a close before the last chunk leaves the body incomplete`(_ wire: String, _ whole: Bool) {
    expectEvents(
      Self.chunked + wire, [Self.chunkedHead, .body("x"), .end(complete: whole)],
      isFollowed: false)
  }

  @Test(arguments: [
    "x\r\n", "-1\r\n", "\"1\"\r\n", "fffffffffffffffff\r\n", "8000000000001\r\n",
  ])
  func `what is no chunk size ends the message and is skipped`(_ line: String) {
    expectEvents(
      Self.chunked + "1\r\nx\r\n" + line + "some bytes",
      [
        Self.chunkedHead, .body("x"), .end(complete: false),
        .skipped(line.utf8.count + 10, .malformed),
      ])
  }

  @Test func `a body that was never chunked is what the other fields say`() {
    expectEvents(
      Self.chunked + "{\"a\":\r\n1}",
      [Self.chunkedHead, .body("{\"a\":\r\n1}"), .end(complete: true)],
      isFollowed: false)
    expectEvents(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{x}\n",
      [
        .response(200, ["Transfer-Encoding: chunked", "Content-Length: 4"]), .body("{x}\n"),
        .end(complete: true),
      ])
  }

  @Test func `data beyond its chunk ends the message and is skipped`() {
    let bytes = Self.chunked + "2\r\nhiya\r\n0\r\n\r\n"
    let (said, accounted) = Direct.response.play([.init(string: bytes)])
    #expect(
      said == [
        Self.chunkedHead, .body("hi"), .end(complete: false), .skipped(5, .malformed),
      ])
    #expect(accounted == bytes.utf8.count)
  }

  @Test func `a chunk line without an end is given up`() {
    let bytes = Self.chunked + "1\r\n!\r\n1;" + String(repeating: "x", count: 5000)
    let (said, accounted) = Direct.response.play([.init(string: bytes)])
    #expect(
      said == [Self.chunkedHead, .body("!"), .end(complete: false), .skipped(5002, .malformed)])
    #expect(accounted == bytes.utf8.count)
  }

  @Test(arguments: [
    ["Transfer-Encoding: chunked", "Content-Length: 99"],
    ["Content-Length: 99", "Transfer-Encoding: gzip, chunked"],
    ["Transfer-Encoding: gzip", "Transfer-Encoding: \tCHUNKED "],
    ["transfer-encoding: gzip,chunked;x=y"], ["Transfer-Encoding: chunked, gzip"],
    ["Transfer-Encoding: chunkedx"], ["Transfer-Encoding: chunked", "Transfer-Encoding: x"],
  ])
  func `a chunked coding outranks any length`(_ fields: [String]) {
    let lines = fields.map { $0.replacing("\tCHUNKED ", with: "CHUNKED") }
    expectEvents(
      "HTTP/1.1 200 OK\r\n" + fields.joined(separator: "\r\n") + "\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      [.response(200, lines), .body("x"), .end(complete: true)])
  }

  @Test(arguments: ["gzip", "x chunked", ": chunked"])
  func `a body with another coding lasts until the close`(_ coding: String) {
    expectEvents(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: \(coding)\r\n\r\n1\r\n",
      [.response(200, ["Transfer-Encoding: \(coding)"]), .body("1\r\n"), .end(complete: true)],
      isFollowed: false)
  }

  @Test(arguments: [
    "3", "03", "000000000000000000000003", "3, 3", "3,3", "3 ,\t3", "3\r\nContent-Length: 3",
    "3,", ",3", "3\r\nTransfer-Encoding: identity", "+3", "3 4", "2\r\nContent-Length: 3",
    "x\r\nContent-Length: 3",
  ])
  func `a length is read as most readers do`(_ value: String) {
    let (said, _) = Direct.response.play([
      .init(string: "HTTP/1.1 200 OK\r\nContent-Length: \(value)\r\n\r\nabcHTTP/1.1 204\r\n\r\n")
    ])
    #expect(
      said.dropFirst() == [
        .body("abc"), .end(complete: true), .response(204, []), .end(complete: true),
      ])
  }

  @Test(arguments: [
    "-3", "3.0", "0x3", "three", "3, 4", "３", "++3",
    "18446744073709551616", "9223372036854775808", "",
  ])
  func `a length that is none leaves a response open and a request bare`(_ value: String) {
    let fields = "Content-Length: \(value)\r\n\r\n"
    let (said, _) = Direct.response.play([.init(string: "HTTP/1.1 200 OK\r\n" + fields + "abc")])
    #expect(said.dropFirst() == [.body("abc"), .end(complete: true)])
    let (asked, _) = Direct.request.play([.init(string: "POST / HTTP/1.1\r\n" + fields)])
    #expect(asked.dropFirst() == [.end(complete: true)])
  }

  @Test func `the largest length is believed`() {
    expectEvents(
      "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nabc",
      [
        .response(200, ["Content-Length: 9223372036854775807"]), .body("abc"),
        .end(complete: false),
      ], isFollowed: false)
  }
}
