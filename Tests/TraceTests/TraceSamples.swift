import Basics
import NIOCore
import Testing
import Trace

/// One line of every type, once with every key and once with the required keys alone, as text in the writer's order.
struct Sample: CustomTestStringConvertible {
  var name: String
  var event: TraceEvent
  var text: String
  var testDescription: String { name }
}

private func raw(_ text: String) -> RawJSON { RawJSON(trusted: ByteBuffer(string: text)) }

/// Keys that a later version may bring.
private let extra = [
  ExtraMember(key: "later", value: raw(#"{"a":[1.0,"\u00e9"]}"#)),
  ExtraMember(key: "k\"2", value: raw("1e999")),
]
private let extraText = #","later":{"a":[1.0,"\u00e9"]},"k\"2":1e999}"#
private let headers: HeaderFields = [HeaderField("Host", "a:1"), HeaderField("x", "\"é\"\n")]
private let headersText = #"[["Host","a:1"],["x","\"é\"\n"]]"#

enum Samples {
  static let all = connections + sessions + messages + others

  static let header: Sample = {
    var line = HeaderLine(
      recorder: "record 0.1.0", source: .proxy,
      t0: Timestamp(nanoseconds: 1_795_338_000_000_000_000))
    line.segment = 2
    line.inputs = ["a.pcap", "-"]
    line.redaction = JSONValue(parsing: #"{"mode":"credentials","key_id":"k1","rules":[]}"#)
    line.payloads = .shape
    line.extra = extra
    return Sample(
      name: "full header", event: .header(line),
      text: #"{"type":"header","format":"mcptrace","version":1,"recorder":"record 0.1.0","#
        + #""source":"proxy","t0":"2026-11-22T09:00:00.000000000Z","segment":2,"#
        + #""inputs":["a.pcap","-"],"redaction":{"mode":"credentials","key_id":"k1","rules":[]},"#
        + #""payloads":"shape""# + extraText)
  }()

  static let minimalHeader = Sample(
    name: "minimal header",
    event: .header(
      HeaderLine(recorder: "r", source: .replay, t0: Timestamp(nanoseconds: -1))),
    text: #"{"type":"header","format":"mcptrace","version":1,"recorder":"r","source":"replay","#
      + #""t0":"1969-12-31T23:59:59.999999999Z"}"#)

  static let connections: [Sample] = {
    let opened = ConnectionLine(conn: 1, t: -5, client: "[::1]:5", server: "1.2.3.4:80")
    var closed = opened
    closed.upstream = "5.6.7.8:81"
    closed.content = .http1
    closed.tls = JSONValue(parsing: #"{"version":"1.3","sni":"a","alpn":"h2"}"#)
    closed.closed = 9
    closed.how = "fin"
    closed.bytesC2S = 10
    closed.bytesS2C = 0
    closed.extra = extra
    let text = #"{"type":"connection","conn":1,"t":-5,"client":"[::1]:5","server":"1.2.3.4:80""#
    return [
      Sample(name: "minimal connection", event: .connection(opened), text: text + "}"),
      Sample(
        name: "full connection", event: .connection(closed),
        text: text + #","upstream":"5.6.7.8:81","protocol":"http/1.1","#
          + #""tls":{"version":"1.3","sni":"a","alpn":"h2"},"closed":9,"how":"fin","#
          + #""bytes":{"c2s":10,"s2c":0}"# + extraText),
    ]
  }()

  static let sessions: [Sample] = {
    let opened = SessionLine(session: "s1", t: 0, transport: .stdio)
    var full = SessionLine(session: "s1", t: 1, transport: .streamableHTTP)
    full.authority = "h:80"
    full.path = "/mcp"
    full.revision = "2025-11-25"
    var client = Implementation(name: "c", version: "1")
    client.extra = [ExtraMember(key: "title", value: raw(#""T""#))]
    full.client = client
    full.server = Implementation(name: "s", version: "")
    var key = SessionKey(
      by: .credential, value: "v", evidence: ["credential", "id-chain"], confidence: 0.75)
    key.extra = [ExtraMember(key: "since", value: raw("5"))]
    full.key = key
    full.start = .cut
    full.agent = "a1"
    full.principal = "p"
    full.continues = true
    full.nextN = 12
    full.extra = extra
    let endKey = SessionKey(by: .mcpSessionID, value: nil, evidence: [], confidence: 1)
    let end = EndLine(session: "s1", t: 5, how: .captureEnd, key: endKey)
    var fullEnd = EndLine(
      session: "s1", t: 5, how: .deleted,
      key: SessionKey(by: .idChain, value: "x", evidence: ["id-chain"], confidence: 0))
    fullEnd.agent = "a1"
    fullEnd.extra = extra
    return [
      Sample(
        name: "minimal session", event: .session(opened),
        text: #"{"type":"session","session":"s1","t":0,"transport":"stdio"}"#),
      Sample(
        name: "full session", event: .session(full),
        text: #"{"type":"session","session":"s1","t":1,"transport":"streamable-http","#
          + #""authority":"h:80","path":"/mcp","revision":"2025-11-25","#
          + #""client":{"name":"c","version":"1","title":"T"},"server":{"name":"s","version":""},"#
          + #""key":{"by":"credential","value":"v","evidence":["credential","id-chain"],"#
          + #""confidence":0.75,"since":5},"start":"cut","agent":"a1","principal":"p","#
          + #""continues":true,"next_n":12"# + extraText),
      Sample(
        name: "minimal end", event: .end(end),
        text: #"{"type":"end","session":"s1","t":5,"how":"capture-end","#
          + #""key":{"by":"mcp-session-id","evidence":[],"confidence":1}}"#),
      Sample(
        name: "full end", event: .end(fullEnd),
        text: #"{"type":"end","session":"s1","t":5,"how":"deleted","#
          + #""key":{"by":"id-chain","value":"x","evidence":["id-chain"],"confidence":0},"agent":"a1""#
          + extraText),
    ]
  }()

  static let others: [Sample] = {
    let sse = SSELine(x: 3, t: 4, kind: .comment)
    var fullSSE = SSELine(x: 3, t: 4, kind: .priming)
    fullSSE.id = "e1"
    fullSSE.retry = 300
    fullSSE.extra = extra
    let loss = LossLine(t: 0, kind: "tcp.gap")
    var fullLoss = LossLine(t: 0, kind: "tcp.gap", bytes: 7, conn: 1, x: 2)
    fullLoss.packets = 3
    fullLoss.session = "s1"
    fullLoss.offset = 100
    fullLoss.extra = extra
    let footer = FooterLine(counts: [:], bytesIn: 0, bytesExplained: 0, loss: [:])
    var fullFooter = FooterLine(
      counts: ["request": 2, "http": 1], bytesIn: 100, bytesExplained: 93,
      loss: ["tcp.gap": FooterLine.Loss(count: 1, bytes: 7)])
    fullFooter.packets = ["in": 5, "tcp": 5]
    fullFooter.tcpBytes = ["in": 107]
    fullFooter.extra = extra
    return [
      Sample(
        name: "minimal sse", event: .sse(sse),
        text: #"{"type":"sse","x":3,"t":4,"kind":"comment"}"#),
      Sample(
        name: "full sse", event: .sse(fullSSE),
        text: #"{"type":"sse","x":3,"t":4,"kind":"priming","id":"e1","retry":300"# + extraText),
      Sample(
        name: "minimal loss", event: .loss(loss),
        text: #"{"type":"loss","t":0,"kind":"tcp.gap"}"#),
      Sample(
        name: "full loss", event: .loss(fullLoss),
        text: #"{"type":"loss","t":0,"kind":"tcp.gap","bytes":7,"packets":3,"session":"s1","#
          + #""conn":1,"x":2,"offset":100"# + extraText),
      Sample(
        name: "minimal footer", event: .footer(footer),
        text: #"{"type":"footer","counts":{},"bytes_in":0,"bytes_explained":0,"loss":{}}"#),
      Sample(
        name: "full footer", event: .footer(fullFooter),
        text: #"{"type":"footer","counts":{"http":1,"request":2},"bytes_in":100,"#
          + #""bytes_explained":93,"loss":{"tcp.gap":{"count":1,"bytes":7}},"#
          + #""packets":{"in":5,"tcp":5},"tcp_bytes":{"in":107}"# + extraText),
      Sample(
        name: "unknown type",
        event: .unknown(
          type: "regroup", line: raw(#"{"to":"s2","type":"regroup","n":[1.0,1e3],"to":null}"#)),
        text: #"{"to":"s2","type":"regroup","n":[1.0,1e3],"to":null}"#),
    ]
  }()
}

extension Samples {
  static let messages: [Sample] = requests + responses + notifications + exchanges

  private static let requests: [Sample] = {
    let line = RequestLine(session: nil, n: 1, t: 2, dir: .c2s, id: raw("1.0"), method: "ping")
    var full = RequestLine(
      session: "s1", n: 1, t: 2, dir: .s2c, id: raw(#""\u0031""#), method: "tools/call")
    full.sent = 3
    full.tool = "add"
    full.origin = .agent
    full.turn = 4
    full.after = [5, 6]
    full.afterBy = .uses
    full.think = 7
    full.uses = JSONValue(parsing: #"[{"at":"/arguments/id","from":5,"path":"/a"}]"#)
    full.conn = 8
    full.x = 9
    full.via = .post
    full.stream = 11
    full.batch = 0
    full.headers = headers
    full.params = raw(#"{"a":1.50}"#)
    full.continues = 12
    full.retryOf = 13
    full.pollOf = 14
    full.bytes = 15
    full.extra = extra
    return [
      Sample(
        name: "minimal request", event: .request(line),
        text: #"{"type":"request","session":null,"n":1,"t":2,"dir":"c2s","id":1.0,"method":"ping"}"#
      ),
      Sample(
        name: "full request", event: .request(full),
        text: #"{"type":"request","session":"s1","n":1,"t":2,"sent":3,"dir":"s2c","#
          + #""id":"\u0031","method":"tools/call","tool":"add","origin":"agent","turn":4,"#
          + #""after":[5,6],"after_by":"uses","think":7,"#
          + #""uses":[{"at":"/arguments/id","from":5,"path":"/a"}],"conn":8,"x":9,"via":"post","#
          + #""stream":11,"batch":0,"continues":12,"retry_of":13,"poll_of":14,"headers":"#
          + headersText + #","params":{"a":1.50},"bytes":15"# + extraText),
    ]
  }()

  private static let responses: [Sample] = {
    let line = ResponseLine(session: nil, n: 2, re: 1, t: 3, dir: .s2c, outcome: .unanswered)
    var full = ResponseLine(session: "s1", n: 2, re: 1, t: 3, dir: .c2s, outcome: .toolError)
    full.done = 4
    full.by = .server
    full.cancelledBy = 5
    full.status = 200
    full.code = -32_601
    full.conn = 6
    full.x = 7
    full.via = .postSSE
    full.event = StreamEvent(id: "1", name: "message")
    full.batch = 1
    full.headers = headers
    full.result = raw(#"{"isError":true}"#)
    full.error = raw("null")
    full.body = "<html>\n"
    full.raw = "/w=="
    full.truncated = true
    full.bytes = 8
    full.extra = extra
    return [
      Sample(
        name: "minimal response", event: .response(line),
        text: #"{"type":"response","session":null,"n":2,"re":1,"t":3,"dir":"s2c","#
          + #""outcome":"unanswered"}"#),
      Sample(
        name: "full response", event: .response(full),
        text: #"{"type":"response","session":"s1","n":2,"re":1,"t":3,"done":4,"dir":"c2s","#
          + #""outcome":"tool_error","by":"server","cancelled_by":5,"status":200,"code":-32601,"#
          + #""conn":6,"x":7,"via":"post-sse","event":{"id":"1","name":"message"},"batch":1,"#
          + #""headers":"# + headersText + #","result":{"isError":true},"error":null,"#
          + #""body":"<html>\n","raw":"/w==","truncated":true,"bytes":8"# + extraText),
    ]
  }()

  private static let notifications: [Sample] = {
    let line = NotificationLine(session: nil, n: 3, t: 4, dir: .s2c, method: "m")
    var full = NotificationLine(session: "s1", n: 3, t: 4, dir: .c2s, method: "m/é")
    full.re = 1
    full.done = 5
    full.after = []
    full.think = -6
    full.status = 202
    full.conn = 7
    full.x = 8
    full.via = .getSSE
    full.event = StreamEvent(id: nil, name: "x")
    full.batch = 2
    full.headers = headers
    full.params = raw("[]")
    full.bytes = 9
    full.extra = extra
    return [
      Sample(
        name: "minimal notification", event: .notification(line),
        text: #"{"type":"notification","session":null,"n":3,"t":4,"dir":"s2c","method":"m"}"#),
      Sample(
        name: "full notification", event: .notification(full),
        text: #"{"type":"notification","session":"s1","n":3,"t":4,"done":5,"dir":"c2s","#
          + #""method":"m/é","re":1,"after":[],"think":-6,"status":202,"conn":7,"x":8,"#
          + #""via":"get-sse","event":{"name":"x"},"batch":2,"headers":"# + headersText
          + #","params":[],"bytes":9"# + extraText),
    ]
  }()

  private static let exchanges: [Sample] = {
    let line = HTTPLine(x: 1, conn: 2, t: 3, method: "GET", target: "/", role: .other)
    var full = HTTPLine(x: 1, conn: 2, t: 3, method: "GET", target: "/mcp?a", role: .streamClose)
    full.session = "s1"
    full.n = 4
    full.done = 5
    full.status = 200
    full.after = [1]
    full.think = 6
    full.how = "fin"
    full.lastEventID = "e1"
    full.headers = headers
    full.extra = extra
    let exchange = ExchangeLine(
      x: 1, conn: 2, t: 3, method: "GET", target: "/", request: .init(bytes: 0, sha256: nil),
      response: .init(bytes: 5, sha256: nil))
    var body = ExchangeLine.Body(bytes: 9, sha256: "ab")
    body.extra = [ExtraMember(key: "coding", value: raw(#""gzip""#))]
    var fullExchange = ExchangeLine(
      x: 1, conn: 2, t: 3, method: "POST", target: "/mcp", request: body,
      response: .init(bytes: 5, sha256: "cd"))
    fullExchange.sent = 4
    fullExchange.first = 5
    fullExchange.done = 6
    fullExchange.status = 200
    fullExchange.interim = [100, 103]
    fullExchange.stream = 7
    fullExchange.flags = ["cl-and-te"]
    fullExchange.extra = extra
    return [
      Sample(
        name: "minimal http", event: .http(line),
        text: #"{"type":"http","x":1,"conn":2,"t":3,"method":"GET","target":"/","role":"other"}"#),
      Sample(
        name: "full http", event: .http(full),
        text: #"{"type":"http","session":"s1","n":4,"x":1,"conn":2,"t":3,"done":5,"method":"GET","#
          + #""target":"/mcp?a","role":"stream-close","status":200,"after":[1],"think":6,"#
          + #""how":"fin","last_event_id":"e1","headers":"# + headersText + extraText),
      Sample(
        name: "minimal exchange", event: .exchange(exchange),
        text: #"{"type":"exchange","x":1,"conn":2,"t":3,"method":"GET","target":"/","#
          + #""request":{"bytes":0},"response":{"bytes":5}}"#),
      Sample(
        name: "full exchange", event: .exchange(fullExchange),
        text: #"{"type":"exchange","x":1,"conn":2,"t":3,"sent":4,"first":5,"done":6,"#
          + #""method":"POST","target":"/mcp","status":200,"#
          + #""request":{"bytes":9,"sha256":"ab","coding":"gzip"},"#
          + #""response":{"bytes":5,"sha256":"cd"},"interim":[100,103],"stream":7,"#
          + #""flags":["cl-and-te"]"# + extraText),
    ]
  }()
}
