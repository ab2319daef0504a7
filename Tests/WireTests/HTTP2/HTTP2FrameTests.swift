import NIOCore
import TestKit
import Testing
import Wire

struct `HTTP/2 frames` {
  @Test func `of a client follow its preface`() {
    var client = HTTP2Frames()
    let bytes =
      HTTP2Frames.preface + HTTP2Frames.settings + HTTP2Frames.window(0)
      + client.headers(1, [":method: POST", ":path: /mcp"]) + HTTP2Frames.data(1, "{}", end: true)
    expectH2(
      bytes, as: H2Direct(role: .client),
      [.headers(1, [":method: POST", ":path: /mcp"]), .data(1, "{}"), .end(1)])
  }

  @Test func `of a server begin at once`() {
    var server = HTTP2Frames()
    let bytes =
      HTTP2Frames.settings + HTTP2Frames.frame(4, flags: 1)
      + server.headers(1, [":status: 200"]) + HTTP2Frames.data(1, "data: a\n")
      + HTTP2Frames.frame(6, [0, 0, 0, 0, 0, 0, 0, 1]) + HTTP2Frames.data(1, "\n", end: true)
    expectH2(bytes, [.headers(1, [":status: 200"]), .data(1, "data: a\n\n"), .end(1)])
  }

  @Test func `of many streams interleave`() {
    var server = HTTP2Frames()
    let bytes =
      server.headers(1, [":status: 200", "a: 1"]) + server.headers(3, [":status: 200", "a: 1"])
      + HTTP2Frames.data(3, "three") + HTTP2Frames.data(1, "one", end: true)
      + HTTP2Frames.data(3, "!", end: true)
    expectH2(
      bytes,
      [
        .headers(1, [":status: 200", "a: 1"]), .headers(3, [":status: 200", "a: 1"]),
        .data(3, "three"), .data(1, "one"), .end(1), .data(3, "!"), .end(3),
      ])
  }

  @Test func `lose their padding and priority`() {
    var server = HTTP2Frames()
    let bytes =
      server.headers(1, [":status: 200"], padding: 7, priority: true)
      + HTTP2Frames.data(1, "a", padding: 3) + HTTP2Frames.data(1, "", padding: 0)
      + HTTP2Frames.data(1, "b", end: true, padding: 255)
    expectH2(bytes, [.headers(1, [":status: 200"]), .data(1, "ab"), .end(1)])
  }

  @Test func `of DATA may be empty`() {
    expectH2(HTTP2Frames.data(1, "") + HTTP2Frames.data(1, "", end: true), [.end(1)])
  }

  @Test func `that reset streams or say goodbye tell why`() {
    let bytes =
      HTTP2Frames.reset(5, 8)
      + HTTP2Frames.frame(7, [0, 0, 0, 9, 0, 0, 0, 11] + Array("slow down".utf8))
    expectH2(bytes, [.reset(5, 8), .goAway(9, 11)])
  }

  @Test func `of unknown kinds are stepped over`() {
    let bytes =
      HTTP2Frames.frame(0xa, stream: 1, Array("altsvc".utf8)) + HTTP2Frames.frame(0xfa, flags: 0xff)
      + HTTP2Frames.frame(2, stream: 3, [0, 0, 0, 0, 7]) + HTTP2Frames.reset(1, 0)
    expectH2(bytes, [.reset(1, 0)])
  }

  @Test func `of impossible shape are skipped up to the next chain`() {
    let broken = HTTP2Frames.frame(3, stream: 1, [1, 2])
    let bytes =
      broken + HTTP2Frames.window(1) + HTTP2Frames.window(3) + HTTP2Frames.reset(3, 8)
      + HTTP2Frames.data(5, "abc")
    expectH2(
      bytes, [.lostSync, .skipped(11, .malformed), .resynced, .reset(3, 8), .data(5, "abc")])
  }

  @Test func `of a client without its preface are skipped up to the next chain`() {
    let bytes = Array("PRI * HTTP/9".utf8) + HTTP2Frames.settings + HTTP2Frames.window(0)
    expectH2(
      bytes + HTTP2Frames.reset(3, 8), as: H2Direct(role: .client),
      [.lostSync, .skipped(12, .malformed), .resynced, .reset(3, 8)])
  }

  @Test func `with more padding than payload are counted`() {
    let bytes = HTTP2Frames.frame(0, flags: 8, stream: 1, [9, 1, 2]) + HTTP2Frames.reset(1, 2)
    expectH2(bytes, [.skipped(2, .malformed), .reset(1, 2)])
  }

  @Test func `that end too early are counted`() {
    var server = HTTP2Frames()
    let whole = server.headers(1, [":status: 200"])
    let half = Array(server.headers(1, ["grpc-status: 0"], end: true).dropLast(2))
    expectH2(
      whole + half, [.headers(1, [":status: 200"]), .skipped(half.count, .incomplete)],
      isFollowed: false)
    expectH2(
      whole + HTTP2Frames.data(1, "abcdef").dropLast(2),
      [.headers(1, [":status: 200"]), .data(1, "abcd")], isFollowed: false)
  }
}

struct `HTTP/2 header blocks` {
  @Test func `may go on in CONTINUATIONs`() {
    var server = HTTP2Frames()
    let fields = [":status: 200", "server: s", "x-long: \(String(repeating: "q;", count: 20))"]
    expectH2(
      server.headers(1, fields, end: true, frames: 4, padding: 2),
      [.headers(1, fields), .end(1)])
  }

  @Test func `share their table over all streams`() {
    var server = HTTP2Frames()
    let fields = [":status: 200", "mcp-session-id: 5e55", "content-type: text/event-stream"]
    let first = server.headers(1, fields)
    let second = server.headers(3, fields)
    #expect(second.count == 9 + fields.count)
    expectH2(first + second, [.headers(1, fields), .headers(3, fields)])
  }

  @Test func `may be interim, final and trailers`() {
    var server = HTTP2Frames()
    let bytes =
      server.headers(1, [":status: 103", "link: <a>"]) + server.headers(1, [":status: 200"])
      + HTTP2Frames.data(1, "x") + server.headers(1, ["grpc-status: 0"], end: true)
    expectH2(
      bytes,
      [
        .headers(1, [":status: 103", "link: <a>"]), .headers(1, [":status: 200"]), .data(1, "x"),
        .headers(1, ["grpc-status: 0"]), .end(1),
      ])
  }

  @Test func `promise requests`() {
    var server = HTTP2Frames()
    expectH2(
      server.promise(1, 2, [":method: GET", ":path: /a"]) + server.headers(2, [":status: 200"]),
      [.promise(1, 2, [":method: GET", ":path: /a"]), .headers(2, [":status: 200"])])
  }

  @Test func `that are interrupted are counted, and their table is forgotten`() {
    var server = HTTP2Frames()
    let known = server.headers(1, [":status: 200", "a: b"])
    let torn = HTTP2Frames.frame(1, stream: 3, server.block([":status: 204"]))
    let later = server.headers(5, [":status: 200", "a: b", "c: d"])
    expectH2(
      known + torn + HTTP2Frames.data(1, "x") + later,
      [
        .headers(1, [":status: 200", "a: b"]), .skipped(torn.count, .malformed), .data(1, "x"),
        .headers(5, [":status: 200", "?hpack-62: ", "c: d"]),
      ])
  }

  @Test func `that are no HPACK are counted, but end their stream`() {
    let bytes = HTTP2Frames.frame(1, flags: 0x5, stream: 1, [0x80])
    expectH2(bytes, [.skipped(bytes.count, .undecodable), .end(1)])
    let noRoom = HTTP2Frames.frame(1, flags: 0x2c, stream: 1, [0, 1, 2])
    expectH2(noRoom, [.skipped(noRoom.count, .undecodable)])
  }

  @Test func `longer than the limit are skipped whole`() {
    let size = HTTP2Decoder.headerBlockLimit
    let one = HTTP2Frames.frame(1, flags: 4, stream: 1, [UInt8](repeating: 0x82, count: size))
    let (said, accounted) = H2Direct().play([.bytes(ByteBuffer(bytes: one + one))])
    #expect(said == [.skipped(2 * one.count, .headersTooLong)])
    #expect(accounted == 2 * one.count)

    let part = [UInt8](repeating: 0x82, count: 16_000)
    var many = HTTP2Frames.frame(1, stream: 1, part)
    for _ in 0..<4 { many += HTTP2Frames.frame(9, stream: 1, part) }
    let (flood, all) = H2Direct().play([
      .bytes(ByteBuffer(bytes: many + HTTP2Frames.reset(1, 8)))
    ])
    #expect(flood == [.skipped(many.count, .headersTooLong), .reset(1, 8)])
    #expect(all == many.count + 13)
  }

  @Test func `that unfold beyond the limit are no HPACK`() {
    // One entry of 4000 bytes, then thousands of references to it.
    var bomb: [UInt8] = [0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]
    bomb += [UInt8](repeating: 0x78, count: 4000) + [UInt8](repeating: 0xbe, count: 9000)
    let bytes = HTTP2Frames.frame(1, flags: 4, stream: 1, bomb)
    let (said, _) = H2Direct().play([.bytes(ByteBuffer(bytes: bytes))])
    #expect(said == [.skipped(bytes.count, .undecodable)])
  }
}
