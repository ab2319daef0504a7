import Basics
import NIOCore
import Testing
import Wire

struct `HTTP/1 times` {
  typealias Event = HTTP1Decoder.Event

  private func at(_ time: Int64) -> Timestamp { Timestamp(nanoseconds: time) }

  /// Feeds each text at its time, then the end at 100.
  private func events(
    _ role: HTTP1Decoder.Role, _ chunks: [(String, Int64)], ending: FlowEnding = .fin
  ) -> [Event] {
    var decoder = HTTP1Decoder(role: role)
    var events: [Event] = []
    for (text, time) in chunks {
      decoder.append(ByteBuffer(string: text), at: at(time))
      while let event = decoder.next() { events.append(event) }
    }
    decoder.end(ending, at: at(100))
    while let event = decoder.next() { events.append(event) }
    return events
  }

  @Test func `a head has the times of its first and its latest byte`() {
    let head = HTTPRequestHead(
      method: "GET", target: "/", fields: [], firstByteAt: at(1), endAt: at(3))
    #expect(
      events(.request, [("GE", 1), ("T / HTTP/1.1\r\n\r", 2), ("\n", 3)])
        == [.request(head), .end(complete: true, at: at(3))])
  }

  @Test(arguments: [FlowEnding.fin, .reset, .captureEnd])
  func `what is cut off ends with its last byte if it is sent, and with the wait if it is awaited`(
    _ ending: FlowEnding
  ) {
    let request = "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"
    #expect(
      events(.request, [(request, 1), ("ab", 3)], ending: ending).last
        == .end(complete: false, at: at(3)))
    #expect(
      events(.request, [("POST / HTTP/1.1\r\nA: b", 2)], ending: ending).last
        == .end(complete: false, at: at(2)))
    #expect(
      events(.response, [("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 1)], ending: ending).last
        == .end(complete: false, at: at(100)))
  }

  @Test func `a head whose middle was captured late ends with the latest time`() {
    let head = HTTPRequestHead(
      method: "GET", target: "/", fields: [], firstByteAt: at(1), endAt: at(9))
    #expect(
      events(.request, [("GE", 1), ("T / HTTP/1.1\r\n", 9), ("\r\n", 3)])
        == [.request(head), .end(complete: true, at: at(9))])
  }

  @Test func `empty lines before a head do not make it older`() {
    let head = HTTPRequestHead(
      method: "GET", target: "/", fields: [], firstByteAt: at(2), endAt: at(2))
    #expect(
      events(.request, [("\r\n", 1), ("GET / HTTP/1.1\r\n\r\n", 2)])
        == [.request(head), .end(complete: true, at: at(2))])
  }

  @Test func `a body comes in slices of one capture time each`() {
    let head = HTTPResponseHead(
      status: 200, fields: [HeaderField("Content-Length", "6")], firstByteAt: at(1), endAt: at(1))
    #expect(
      events(
        .response, [("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab", 1), ("cd", 2), ("ef", 3)])
        == [
          .response(head), .body(ByteBuffer(string: "ab"), at: at(1)),
          .body(ByteBuffer(string: "cd"), at: at(2)), .body(ByteBuffer(string: "ef"), at: at(3)),
          .end(complete: true, at: at(3)),
        ])
  }

  @Test func `bytes that waited in the decoder keep their times`() {
    var decoder = HTTP1Decoder(role: .response)
    decoder.append(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\nab"), at: at(1))
    decoder.append(ByteBuffer(string: "cd"), at: at(2))
    decoder.gap(5, at: at(3))
    decoder.append(ByteBuffer(string: "ef"), at: at(4))
    decoder.end(.fin, at: at(5))
    var events: [Event] = []
    while let event = decoder.next() { events.append(event) }
    let head = HTTPResponseHead(status: 200, fields: [], firstByteAt: at(1), endAt: at(1))
    #expect(
      events == [
        .response(head), .body(ByteBuffer(string: "ab"), at: at(1)),
        .body(ByteBuffer(string: "cd"), at: at(2)), .bodyGap(count: 5, at: at(3)),
        .body(ByteBuffer(string: "ef"), at: at(4)), .end(complete: true, at: at(5)),
      ])
  }

  @Test func `a chunked body ends with its last byte and not with its data`() {
    let head = HTTPResponseHead(
      status: 200, fields: [HeaderField("Transfer-Encoding", "chunked")], firstByteAt: at(1),
      endAt: at(1))
    #expect(
      events(
        .response,
        [
          ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1), ("2\r\n", 2), ("ab", 3),
          ("\r\n0\r\n", 4), ("\r\n", 5),
        ])
        == [
          .response(head), .body(ByteBuffer(string: "ab"), at: at(3)),
          .end(complete: true, at: at(5)),
        ])
  }

  @Test func `what the close ends has the time of the close`() {
    let head = HTTPResponseHead(status: 200, fields: [], firstByteAt: at(1), endAt: at(1))
    #expect(
      events(.response, [("HTTP/1.1 200 OK\r\n\r\n", 1), ("a", 2)])
        == [
          .response(head), .body(ByteBuffer(string: "a"), at: at(2)),
          .end(complete: true, at: at(100)),
        ])
    #expect(
      events(.response, [("HTTP/1.1 200 OK\r\n\r\n", 1), ("a", 200)], ending: .reset)
        == [
          .response(head), .body(ByteBuffer(string: "a"), at: at(200)),
          .end(complete: false, at: at(200)),
        ])
  }

  @Test func `pipelined messages in one segment share its time`() {
    let chunk = "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"
    let heads = ["/a", "/b"].map {
      HTTPRequestHead(method: "GET", target: $0, fields: [], firstByteAt: at(4), endAt: at(4))
    }
    #expect(
      events(.request, [(chunk, 4)])
        == [
          .request(heads[0]), .end(complete: true, at: at(4)), .request(heads[1]),
          .end(complete: true, at: at(4)),
        ])
  }

  @Test func `skipped bytes have their chunk's time`() {
    #expect(
      events(.request, [("x y\n\n", 1), ("zz", 2)])
        == [
          .skipped(bytes: 5, .malformed, at: at(1)), .skipped(bytes: 2, .malformed, at: at(2)),
        ])
  }
}
