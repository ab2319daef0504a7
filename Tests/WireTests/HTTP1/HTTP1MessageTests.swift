import Basics
import NIOCore
import Testing
import Wire

struct `HTTP/1 messages` {
  @Test func `a request without a body ends with its head`() {
    expectEvents(
      "GET /mcp HTTP/1.1\r\nHost: a:1\r\nAccept: text/event-stream\r\n\r\n", .request,
      [
        .request("GET", "/mcp", ["Host: a:1", "Accept: text/event-stream"]), .end(complete: true),
      ])
  }

  @Test func `a request has the body its length says`() {
    expectEvents(
      "POST /mcp HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello", .request,
      [.request("POST", "/mcp", ["content-length: 5"]), .body("hello"), .end(complete: true)])
  }

  @Test func `requests are pipelined`() {
    expectEvents(
      "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.0\r\n\r\nPUT /c HTTP/1.1\r\n\r\n",
      .request,
      [
        .request("POST", "/a", ["Content-Length: 2"]), .body("hi"), .end(complete: true),
        .request("GET", "/b", []), .end(complete: true),
        .request("PUT", "/c", []), .end(complete: true),
      ])
  }

  @Test func `responses follow each other on a kept connection`() {
    expectEvents(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 202 Accepted\r\n"
        + "Content-Length: 0\r\n\r\n",
      [
        .response(200, ["Content-Length: 2"]), .body("{}"), .end(complete: true),
        .response(202, ["Content-Length: 0"]), .end(complete: true),
      ])
  }

  @Test func `interim responses have neither body nor end`() {
    expectEvents(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\nContent-Length: 9\r\n\r\n"
        + "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx",
      [
        .response(100, []), .response(103, ["Link: a", "Content-Length: 9"]),
        .response(200, ["Content-Length: 1"]), .body("x"), .end(complete: true),
      ])
  }

  @Test(arguments: [204, 304])
  func `some statuses have no body whatever their fields say`(_ status: Int) {
    expectEvents(
      "HTTP/1.1 \(status) X\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n",
      [
        .response(status, ["Content-Length: 50", "Transfer-Encoding: chunked"]),
        .end(complete: true),
      ])
  }

  @Test(arguments: ["Content-Length: 50\r\n", "Transfer-Encoding: chunked\r\n", ""])
  func `an answer to HEAD has no body whatever its fields say`(_ fields: String) {
    var direct = Direct.response
    direct.answersToHead = [0]
    let lines = fields.isEmpty ? [] : [String(fields.dropLast(1))]
    expectEvents(
      "HTTP/1.1 200 OK\r\n" + fields + "\r\n", direct,
      [.response(200, lines), .end(complete: true)])
  }

  @Test func `a switch of protocols ends HTTP at its byte`() {
    expectEvents(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}HTTP/1.1 200 OK\r\n\r\n",
      [
        .response(101, ["Upgrade: websocket"]), .end(complete: true),
        .tunnel("\u{1}HTTP/1.1 200 OK\r\n\r\n"),
      ], isFollowed: false)
  }

  @Test func `an accepted CONNECT ends HTTP at its byte`() {
    var direct = Direct.response
    direct.acceptsConnect = 0
    expectEvents(
      "HTTP/1.1 200 Connected\r\n\r\nany bytes", direct,
      [.response(200, []), .end(complete: true), .tunnel("any bytes")], isFollowed: false)
  }

  @Test func `a response without a length lasts until the close`() {
    expectEvents(
      "HTTP/1.0 200 OK\r\n\r\nHTTP/1.1 is the body",
      [
        .response(200, []), .body("HTTP/1.1 is the body"), .end(complete: true),
      ], isFollowed: false)
  }

  @Test(arguments: [FlowEnding.reset, .idle, .captureEnd])
  func `a response without a length is incomplete when it was not closed`(_ how: FlowEnding) {
    var direct = Direct.response
    direct.ending = how
    expectEvents(
      "HTTP/1.1 200 OK\r\n\r\nab", direct,
      [.response(200, []), .body("ab"), .end(complete: false)], isFollowed: false)
  }

  @Test func `a body cut by the close is incomplete`() {
    expectEvents(
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
      [.response(200, ["Content-Length: 9"]), .body("ab"), .end(complete: false)],
      isFollowed: false)
  }

  @Test func `a head cut by the close is told as far as it goes`() {
    expectEvents(
      "HTTP/1.1 200 OK\r\nA: b\r\nContent-Le",
      [.response(200, ["A: b"]), .end(complete: false)], isFollowed: false)
    expectEvents(
      "HTTP/1.1 200 O", [.response(200, []), .end(complete: false)], isFollowed: false)
    expectEvents("HTTP/1.1 20", [.skipped(11, .incompleteHead)], isFollowed: false)
    expectEvents(
      "GET /images HTT", .request, [.request("GET", "/images", []), .end(complete: false)],
      isFollowed: false)
    expectEvents("GET ", .request, [.skipped(4, .incompleteHead)], isFollowed: false)
  }

  @Test func `surplus behind a message that said it was the last has its own name`() {
    expectEvents(
      "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\n!more\r\nand more",
      [
        .response(200, ["Connection: Close", "Content-Length: 1"]), .body("!"),
        .end(complete: true), .skipped(14, .trailingGarbage),
      ])
  }

  @Test func `nothing is said of an empty direction`() {
    expectEvents("", .request, [])
  }

  @Test func `bytes after the end are ignored`() {
    var decoder = HTTP1Decoder(role: .request)
    decoder.end(.fin, at: Timestamp(nanoseconds: 0))
    decoder.append(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"), at: Timestamp(nanoseconds: 1))
    decoder.gap(3, at: Timestamp(nanoseconds: 1))
    let event = decoder.next()
    #expect(event == nil)
  }
}
