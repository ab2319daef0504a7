import Basics
import Testing
import Trace

/// An event whose test case is named by its type.
struct PopulatedLine: Sendable, CustomTestStringConvertible {
  let event: TraceEvent

  var testDescription: String { event.type }
}

/// One line of every type with every key that the writer knows.
enum PopulatedLines {
  static var all: [PopulatedLine] {
    [
      header, connection, session, request, response, notification, http, sse, exchange, loss, end,
      footer,
    ].map(PopulatedLine.init)
  }

  private static let fields: HeaderFields = [HeaderField("Host", "a")]
  private static let event = StreamEvent(id: "a", name: "b")
  private static let key = SessionKey(
    by: .credential, value: "v", evidence: ["credential"], confidence: 0.5)
  private static let object = RawJSON(.object([]))

  private static var header: TraceEvent {
    var line = HeaderLine(recorder: "r", source: .pcap, t0: Timestamp(nanoseconds: 1))
    line.segment = 2
    line.inputs = ["a.pcap"]
    line.redaction = .object([
      .init("mode", .string("credentials")), .init("key_id", .string("k1")),
      .init("rules", .array([])),
    ])
    line.payloads = .full
    return .header(line)
  }

  private static var connection: TraceEvent {
    var line = ConnectionLine(conn: 1, t: 0, client: "a:1", server: "b:2")
    line.upstream = "c:3"
    line.content = .http1
    line.tls = .object([.init("version", .string("1.3")), .init("sni", .string("b"))])
    line.closed = 9
    line.how = "fin"
    line.bytesC2S = 1
    line.bytesS2C = 2
    return .connection(line)
  }

  private static var session: TraceEvent {
    var line = SessionLine(session: "s1", t: -5, transport: .httpSSE)
    line.authority = "a"
    line.path = "/mcp"
    line.revision = "2025-11-25"
    line.client = Implementation(name: "c", version: "1")
    line.server = Implementation(name: "s", version: "2")
    line.key = key
    line.start = .cut
    line.agent = "a1"
    line.principal = "p"
    line.continues = true
    line.nextN = 7
    return .session(line)
  }

  private static var request: TraceEvent {
    var line = RequestLine(
      session: nil, n: 3, t: 1, dir: .c2s, id: RawJSON(.int(1)), method: "tools/call")
    line.sent = 2
    line.tool = "t"
    line.origin = .agent
    line.turn = 1
    line.after = [2]
    line.afterBy = .uses
    line.think = 4
    line.uses = .array([
      .object([.init("at", .string("/a")), .init("from", .int(2)), .init("path", .string("/b"))])
    ])
    line.conn = 1
    line.x = 1
    line.via = .post
    line.stream = 1
    line.batch = 0
    line.headers = fields
    line.params = object
    line.continues = 1
    line.retryOf = 1
    line.pollOf = 1
    line.bytes = 10
    line.redacted = ["/arguments/a"]
    return .request(line)
  }

  private static var response: TraceEvent {
    var line = ResponseLine(session: "s1", n: 4, re: 3, t: 5, dir: .s2c, outcome: .jsonrpcError)
    line.done = 6
    line.by = .server
    line.cancelledBy = 2
    line.status = 200
    line.code = -32602
    line.conn = 1
    line.x = 1
    line.via = .postSSE
    line.event = event
    line.batch = 0
    line.headers = fields
    line.result = object
    line.error = object
    line.body = "b"
    line.raw = "YQ=="
    line.truncated = true
    line.bytes = 4
    line.redacted = ["/content/0/text"]
    return .response(line)
  }

  private static var notification: TraceEvent {
    var line = NotificationLine(
      session: "s1", n: 5, t: 5, dir: .c2s, method: "notifications/cancelled")
    line.re = 3
    line.done = 6
    line.after = [2]
    line.think = 1
    line.status = 202
    line.conn = 1
    line.x = 2
    line.via = .post
    line.event = event
    line.batch = 1
    line.headers = fields
    line.params = object
    line.bytes = 3
    return .notification(line)
  }

  private static var http: TraceEvent {
    var line = HTTPLine(x: 3, conn: 1, t: 0, method: "GET", target: "/mcp", role: .streamOpen)
    line.session = "s1"
    line.n = 6
    line.done = 2
    line.status = 200
    line.after = [4]
    line.think = 1
    line.how = "fin"
    line.lastEventID = "e1"
    line.headers = fields
    return .http(line)
  }

  private static var sse: TraceEvent {
    var line = SSELine(x: 3, t: 0, kind: .priming)
    line.id = "e1"
    line.retry = 300
    return .sse(line)
  }

  private static var exchange: TraceEvent {
    let body = ExchangeLine.Body(bytes: 1, sha256: "ca97")
    var line = ExchangeLine(
      x: 3, conn: 1, t: 0, method: "GET", target: "/mcp", request: body, response: body)
    line.sent = 1
    line.first = 2
    line.done = 3
    line.status = 200
    line.interim = [100]
    line.stream = 1
    line.flags = ["odd"]
    return .exchange(line)
  }

  private static var loss: TraceEvent {
    var line = LossLine(t: 0, kind: "tcp.gap", bytes: 3, conn: 1, x: 2)
    line.packets = 1
    line.session = "s1"
    line.offset = 0
    return .loss(line)
  }

  private static var end: TraceEvent {
    var line = EndLine(session: "s1", t: 9, how: .idle, key: key)
    line.agent = "a1"
    return .end(line)
  }

  private static var footer: TraceEvent {
    var line = FooterLine(
      counts: ["request": 1], bytesIn: 3, bytesExplained: 0,
      loss: ["tcp.gap": .init(count: 1, bytes: 3)])
    line.packets = ["in": 1, "tcp": 1]
    line.tcpBytes = ["in": 3, "gap": 3]
    return .footer(line)
  }
}
