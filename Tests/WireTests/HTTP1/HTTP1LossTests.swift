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

  @Test func `what only looks like a start line is passed over`() {
    // A lone CR ends a line where a field follows.
    expect(
      ["HTTP/1.1\r\r200: OK\nA: b\r\n\r\n" + Self.ok],
      [.skipped(26, .malformed)] + Self.okSaid)
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

  @Test func `behind a gap over chunk framing the next chunk is found`() {
    let tail = "6\r\nsecond\r\n0\r\n\r\n" + Self.ok
    let lost: [Said] = [.gap(10), .body("xyzsecond"), .end(complete: true)]
    for before in ["2\r\na", "1\r\na", "1\r\na\r", "1\r\na\r\n", "1\r\na\r\n6"] {
      expect(
        [Self.chunked + before, nil, "xyz\r\n" + tail],
        [Self.chunkedHead, .body("a")] + lost + Self.okSaid)
    }
    expect([Self.chunked, nil, "xyz\r\n" + tail], [Self.chunkedHead] + lost + Self.okSaid)
  }

  @Test(arguments: ["", "\n", "\r\n"])
  func `a gap may end where a chunk begins`(_ before: String) {
    expect(
      [Self.chunked + "2\r\na", nil, before + "3;x=y\r\nxyz\r\n2", "\r\nhi\r\n0\r\n\r\n", Self.ok],
      [Self.chunkedHead, .body("a"), .gap(10), .body("xyzhi"), .end(complete: true)] + Self.okSaid)
  }

  @Test func `a line that looks like a size is none when its chunk ends elsewhere`() {
    expect(
      [Self.chunked + "2\r\na", nil, "dead\r\nbee\r\n3\r\nxyz\r\n0\r\n\r\n", Self.ok],
      [Self.chunkedHead, .body("a"), .gap(10), .body("dead\r\nbeexyz"), .end(complete: true)]
        + Self.okSaid)
  }

  @Test func `the last chunk behind a gap may be cut`() {
    expect(
      [Self.chunked + "2\r\na", nil, "\r\ne\r\nxyz", nil, "!\r\n0\r\n\r\n", Self.ok],
      [
        Self.chunkedHead, .body("a"), .gap(10), .body("xyz"), .gap(10), .body("!"),
        .end(complete: true),
      ] + Self.okSaid)
  }

  @Test func `a message behind a gap over chunk framing ends the one before`() {
    expect(
      [Self.chunked + "2\r\na", nil, "xyz", Self.ok],
      [Self.chunkedHead, .body("a"), .gap(10), .body("xyz"), .end(complete: false)] + Self.okSaid)
  }

  @Test func `a message that is known to be over ends with the gap`() {
    var decoder = HTTP1Decoder(role: .response)
    decoder.append(ByteBuffer(string: Self.chunked + "2\r\na"), at: Timestamp(nanoseconds: 1))
    decoder.gap(10, at: Timestamp(nanoseconds: 2), endsMessage: true)
    decoder.append(ByteBuffer(string: "3\r\nxyz\r\n" + Self.ok), at: Timestamp(nanoseconds: 3))
    var said: [Said] = []
    while let event = decoder.next() { said.add(Said(event)) }
    #expect(
      said == [
        Self.chunkedHead, .body("a"), .end(complete: false), .skipped(8, .afterGap),
      ] + Self.okSaid)
  }

  @Test func `a gap in trailers leaves the body whole`() {
    let start = Self.chunked + "2\r\nab\r\n0\r\n"
    let head: [Said] = [Self.chunkedHead, .body("ab")]
    expect([start, nil, Self.ok], head + [.end(complete: true)] + Self.okSaid)
    expect(
      [start + "A: ", nil, "xyz\r\n", Self.ok],
      head + [.end(complete: false), .skipped(5, .afterGap)] + Self.okSaid)
  }

  @Test func `a gap in a head leaves what came before it`() {
    expect(
      ["HTTP/1.1 200 OK\r\nA: b\r\nCont", nil, "ength: 3\r\n\r\nabc", Self.ok],
      [.response(200, ["A: b"]), .end(complete: false), .skipped(15, .afterGap)] + Self.okSaid)
    expect(
      ["HTTP/1.1 20", nil, "ength: 3\r\n\r\nabc", Self.ok],
      [.skipped(26, .afterGap)] + Self.okSaid)
  }

  @Test func `a message behind a gap may begin anywhere`() {
    expect([Self.ok, nil, Self.ok], Self.okSaid + Self.okSaid)
    expect(
      [Self.ok, nil, "tail of a body" + Self.ok, Self.ok],
      Self.okSaid + [.skipped(14, .afterGap)] + Self.okSaid + Self.okSaid)
  }

  @Test(arguments: [
    "GET / HTTP/1.1 is how it begins\r\n\r\n", "GET / HTTP/1.1\r\nnot a field\r\n\r\n",
    "then GET /n HTTP/1.1\r\n\r\n", "GET /\r\nHost: a\r\n\r\n", "XGET / HTTP/1.1\r\n\r\n",
    "{\"a\":\"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\"}\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
  ])
  func `no message is made of text`(_ text: String) {
    let next = Direct.request.next
    expect(
      [next.bytes, nil, "x" + text, next.bytes], .request,
      next.said + [.skipped(text.utf8.count + 1, .afterGap)] + next.said)
  }

  @Test func `a request behind a gap may begin behind a body`() {
    let next = Direct.request.next
    let bytes = Array(("APOST {\"a\":\"POST\"}" + next.bytes).utf8)
    for split in 1..<bytes.count {
      let chunks = [ByteBuffer(bytes: bytes[..<split]), ByteBuffer(bytes: bytes[split...])]
      let (said, accounted) = Direct.request.play([ByteBuffer(string: next.bytes), nil] + chunks)
      #expect(said == next.said + [.skipped(18, .afterGap)] + next.said, "split at \(split)")
      #expect(accounted == next.bytes.utf8.count + bytes.count)
    }
  }

  @Test func `gaps in succession are each told`() {
    expect(
      [Self.open, nil, nil, "a", nil],
      [.response(200, []), .gap(10), .gap(10), .body("a"), .gap(10), .end(complete: true)])
  }

  @Test func `a gap after a switch of protocols changes nothing`() {
    expect(
      ["HTTP/1.1 101 S\r\n\r\nab", nil, "cd"],
      [
        .response(101, []), .end(complete: true), .tunnel("ab"), .tunnelGap(10), .tunnel("cd"),
      ])
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
    expect(["rest " + Self.ok], direct, [.skipped(5, .midstream)] + Self.okSaid)
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

  @Test func `garbage between messages is skipped up to the next`() {
    let next = Direct.request.next
    expect(
      [next.bytes + "\u{16}\u{3}garbage\n\n", "more garbage" + next.bytes], .request,
      next.said + [.skipped(23, .malformed)] + next.said)
  }

  @Test func `garbage without a line end is skipped at the end`() {
    expect(["\u{16}\u{3}\u{1}"], .request, [.skipped(3, .incompleteHead)])
  }

  @Test func `bytes beyond the length of a closing response are skipped`() {
    expect([Self.ok + "surplus\n\n"], Self.okSaid + [.skipped(9, .malformed)])
  }
}
