import Basics
import NIOCore
import Testing
import Wire

struct `HTTP/1 losses` {
  static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!"
  static let okSaid: [Said] = [
    .response(200, ["Content-Length: 1"]), .body("!"), .end(complete: true),
  ]
  static let open = "HTTP/1.1 200 OK\r\n\r\n"
  static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
  static let chunkedHead = Said.response(200, ["Transfer-Encoding: chunked"])

  /// Plays texts with a gap of ten bytes for each `nil`, drained and undrained.
  func expect(
    _ pieces: [String?], _ direct: Direct, _ expected: [Said],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let chunks = pieces.map { $0.map { ByteBuffer(string: $0) } }
    let size = pieces.compactMap(\.?.utf8.count).reduce(0, +)
    for drainsEach in [true, false] {
      let (said, accounted) = direct.play(chunks, drainsEach: drainsEach)
      #expect(said == expected, "drains each: \(drainsEach)", sourceLocation: sourceLocation)
      #expect(accounted == size, "drains each: \(drainsEach)", sourceLocation: sourceLocation)
    }
  }

  func expect(
    _ pieces: [String?], _ expected: [Said], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expect(pieces, .response, expected, sourceLocation: sourceLocation)
  }

  @Test func `a gap inside a body of known length leaves the framing`() {
    expect(
      ["HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nab", nil, "cde" + Self.ok],
      [
        .response(200, ["Content-Length: 15"]), .body("ab"), .gap(10), .body("cde"),
        .end(complete: true),
      ] + Self.okSaid)
  }

  @Test func `a gap up to the very end of a body leaves the framing`() {
    expect(
      ["HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nab", nil, Self.ok],
      [.response(200, ["Content-Length: 12"]), .body("ab"), .gap(10), .end(complete: true)]
        + Self.okSaid)
  }

  @Test func `a gap beyond a body ends it and looks for the next message`() {
    expect(
      ["HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nab", nil, "le: x\r\n\r\n", Self.ok],
      [
        .response(200, ["Content-Length: 11"]), .body("ab"), .end(complete: false),
        .skipped(9, .afterGap),
      ] + Self.okSaid)
  }

  @Test func `a gap in a body until close is part of it`() {
    expect(
      [Self.open + "ab", nil, "cd"],
      [.response(200, []), .body("ab"), .gap(10), .body("cd"), .end(complete: true)])
  }

  @Test func `a gap inside a chunk leaves the framing`() {
    expect(
      [Self.chunked + "c\r\na", nil, "b\r\n0\r\n\r\n" + Self.ok],
      [Self.chunkedHead, .body("a"), .gap(10), .body("b"), .end(complete: true)] + Self.okSaid)
    expect(
      [Self.chunked + "b\r\na", nil, "\r\n0\r\n\r\n" + Self.ok],
      [Self.chunkedHead, .body("a"), .gap(10), .end(complete: true)] + Self.okSaid)
  }

  @Test func `a gap over chunk framing ends the message`() {
    let lost: [Said] = [.end(complete: false), .skipped(6, .afterGap)]
    expect(
      [Self.chunked + "2\r\na", nil, "xyz\r\n0", Self.ok],
      [Self.chunkedHead, .body("a")] + lost + Self.okSaid)
    expect([Self.chunked, nil, "xyz\r\n0", Self.ok], [Self.chunkedHead] + lost + Self.okSaid)
    expect(
      [Self.chunked + "2\r\nab", nil, "xyz\r\n0", Self.ok],
      [Self.chunkedHead, .body("ab")] + lost + Self.okSaid)
    expect(
      [Self.chunked + "2\r\nab\r\n0\r\nA: ", nil, "xyz\r\n0", Self.ok],
      [Self.chunkedHead, .body("ab"), .end(complete: false), .skipped(9, .afterGap)] + Self.okSaid)
  }

  @Test func `a gap in a head loses the head`() {
    expect(
      ["HTTP/1.1 200 OK\r\nCont", nil, "ength: 3\r\n\r\nabc", Self.ok],
      [.skipped(36, .afterGap)] + Self.okSaid)
  }

  @Test func `a gap between messages waits for one that begins a chunk`() {
    expect([Self.ok, nil, Self.ok], Self.okSaid + Self.okSaid)
    expect(
      [Self.ok, nil, "tail of a body" + Self.ok, Self.ok],
      Self.okSaid + [.skipped(14 + Self.ok.utf8.count, .afterGap)] + Self.okSaid)
  }

  @Test func `gaps in succession are each told`() {
    expect(
      [Self.open, nil, nil, "a", nil],
      [.response(200, []), .gap(10), .gap(10), .body("a"), .gap(10), .end(complete: true)])
  }

  @Test func `a gap after a switch of protocols changes nothing`() {
    expect(
      ["HTTP/1.1 101 S\r\n\r\nab", nil, "cd"],
      [.response(101, []), .end(complete: true), .skipped(4, .tunnel)])
  }

  @Test func `a gap does not hide that an answer has no body`() {
    var direct = Direct.response
    direct.answersToHead = [0]
    expect(
      ["HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", nil, Self.ok], direct,
      [.response(200, ["Content-Length: 50"]), .end(complete: true)] + Self.okSaid)
  }

  @Test func `the middle of a connection is skipped up to a message`() {
    var direct = Direct.response
    direct.fromStart = false
    expect(
      ["rest of ", "some body", Self.ok, Self.ok], direct,
      [.skipped(17, .midstream)] + Self.okSaid + Self.okSaid)
    expect([Self.ok], direct, Self.okSaid)
    expect(["rest " + Self.ok], direct, [.skipped(5 + Self.ok.utf8.count, .midstream)])
  }

  @Test func `what begins like a message and is none is skipped too`() {
    var direct = Direct.request
    direct.fromStart = false
    let next = direct.next
    expect(
      ["G", "A", "R", "BAGE", "\u{1}", next.bytes], direct, [.skipped(8, .midstream)] + next.said)
    expect(
      ["OK THEN nothing\r\n\r\nmore", next.bytes], direct, [.skipped(23, .midstream)] + next.said)
  }

  @Test func `garbage between messages is skipped up to the next that begins a chunk`() {
    let next = Direct.request.next
    expect(
      [next.bytes + "\u{16}\u{3}garbage\n\n", "more garbage", next.bytes], .request,
      next.said + [.skipped(23, .malformed)] + next.said)
  }

  @Test func `garbage that never ends a head is skipped at the end`() {
    expect(["\u{16}\u{3}\u{1}"], .request, [.skipped(3, .incompleteHead)])
  }

  @Test func `bytes beyond the length of a closing response are skipped`() {
    expect([Self.ok + "surplus\n\n"], Self.okSaid + [.skipped(9, .malformed)])
  }
}
