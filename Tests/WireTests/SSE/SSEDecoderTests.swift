import Basics
import NIOCore
import Testing
import Wire

struct `SSE decoder` {
  @Test(arguments: ["\n", "\r\n", "\r"])
  func `takes each line end`(_ end: String) {
    expectEvents(
      ["event: message", "id: 7", "data: {}", "", ": ping", "", "data", "", "data: x", "", ""]
        .joined(separator: end),
      [
        Block("{}", name: "message", id: "7"), Block(comment: " ping"), Block(""), Block("x"),
      ])
  }

  @Test func `takes mixed line ends`() {
    expectEvents(
      "data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\n\ndata: e\n\r",
      [
        Block("a\nb\nc"), Block("d"), Block("e"),
      ])
  }

  @Test func `takes CR CR LF as two line ends`() {
    expectEvents("data: a\r\r\ndata: b\r\r", [Block("a"), Block("b")])
  }

  @Test func `takes LF CR as two line ends`() {
    expectEvents("data: a\n\rdata: b\n\n", [Block("a"), Block("b")])
  }

  @Test func `joins data lines with a newline`() {
    expectEvents("data: a\ndata:\ndata: \ndata:  b\ndata\n\n", [Block("a\n\n\n b\n")])
  }

  @Test func `removes one leading space of a value`() {
    expectEvents(
      "data:a\n\ndata: a\n\ndata:  a \n\ndata:\ta\n\n",
      [
        Block("a"), Block("a"), Block(" a "), Block("\ta"),
      ])
  }

  @Test func `keeps colons of a value`() {
    expectEvents("data: a:b: c\n\n", [Block("a:b: c")])
  }

  @Test func `reads a byte order mark at the start only`() {
    expectEvents("\u{feff}data: a\n\n\u{feff}data: b\n\n", [Block("a")])
    expectEvents("\u{feff}\ndata: a\n\n", [Block("a")])
    expectEvents("\u{feff}: c\n", [Block(comment: " c")])
    expectEvents("data: \u{feff}a\n\n", [Block("\u{feff}a")])
  }

  @Test func `reports comments at once and apart from their block`() {
    expectEvents(":\n", [Block(comment: "")])
    expectEvents(
      "data: a\n: ping\ndata: b\n\n:x\r\n",
      [
        Block(comment: " ping"), Block("a\nb"), Block(comment: "x"),
      ])
  }

  @Test func `reports a priming event`() {
    expectEvents("id: 3::8\nretry: 300\ndata:\n\n", [Block("", id: "3::8", retry: 300)])
    expectEvents("id: 1\n\n", [Block(id: "1")])
  }

  @Test func `reports a bare retry`() {
    expectEvents("retry: 1500\n\n", [Block(retry: 1500)])
  }

  @Test(arguments: ["", "-1", "1.5", "1e3", "1 ", "x", "99999999999999999999", "１"])
  func `ignores a retry that is no number`(_ value: String) {
    expectEvents("retry: 7\nretry: \(value)\n\n", [Block(retry: 7)])
  }

  @Test func `lets the last of repeated fields win`() {
    expectEvents("id: 1\nid: 2\nevent: a\nevent: b\ndata: x\n\n", [Block("x", name: "b", id: "2")])
    expectEvents("id: 1\nid\nevent: a\nevent:\ndata: x\n\n", [Block("x", id: "")])
  }

  @Test func `ignores an id with NUL`() {
    expectEvents("id: 1\nid: a\u{0}b\ndata: x\n\n", [Block("x", id: "1")])
  }

  @Test func `ignores unknown fields and fields in other case`() {
    expectEvents("Data: a\nfoo: b\n data: c\ndata : d\ndatax: e\n\ndata: f\n\n", [Block("f")])
  }

  @Test func `dispatches nothing for empty lines`() {
    expectEvents("\n\r\n\r\r\n\n", [Block]())
    expectEvents("", [Block]())
  }

  @Test func `counts what was not complete at the end`() {
    expectEvents("data: a\n\ndata: b", [Block("a")], incomplete: 7)
    expectEvents("data: b\nid: 1\n", [], incomplete: 12)
    expectEvents(": ping\ndata: b\n", [Block(comment: " ping")], incomplete: 7)
    expectEvents("data: b\n: ping\n: pi", [Block(comment: " ping")], incomplete: 11)
  }

  @Test func `keeps characters that chunks cut`() {
    expectEvents("data: é€😀\nevent: ü\n\n", [Block("é€😀", name: "ü")])
  }

  @Test func `keeps data that is not UTF-8`() {
    let (events, _) = decodeSSE([(ByteBuffer(bytes: Array("data: ".utf8) + [0xff, 0x0a, 0x0a]), 0)])
    #expect(events.map(\.data) == [ByteBuffer(bytes: [0xff])])
  }

  @Test func `begins anew after the end`() {
    var decoder = SSEDecoder()
    let at = Timestamp(nanoseconds: 0)
    decoder.append(ByteBuffer(string: "id: 1\ndata: a\r"), at: at)
    decoder.end()
    decoder.append(ByteBuffer(string: "\ndata: b\n\n"), at: at)
    let events = [decoder.next(), decoder.next()].map { $0.map(Block.init) }
    #expect(events == [Block("b"), nil])
    #expect(decoder.incomplete == 12)
  }
}
