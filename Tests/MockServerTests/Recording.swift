import MockServer
import NIOCore
import Testing
import Trace

/// A trace written in a test, line by line; times are milliseconds.
struct Recording {
  private var lines = [
    #"{"type":"header","format":"mcptrace","version":1,"recorder":"test","source":"proxy","t0":"2026-11-22T09:00:00.000000000Z"}"#
  ]

  /// What a session is known by and speaks.
  enum Kind: String {
    case stateful = #""revision":"2025-11-25","key":{"by":"mcp-session-id","confidence":1}"#
    case stateless = #""revision":"2025-06-18","key":{"by":"client-info","confidence":0.5}"#
    case modern = #""revision":"2026-07-28","key":{"by":"client-info","confidence":0.5}"#
  }

  mutating func add(_ line: String) { lines.append(line) }

  mutating func session(_ name: String, _ kind: Kind = .stateful, client: String = "agent") {
    add(
      #"{"type":"session","session":"\#(name)","t":0,"transport":"streamable-http","path":"/mcp","client":{"name":"\#(client)","version":"1"},"server":{"name":"desk","version":"2"},\#(kind.rawValue)}"#
    )
  }

  /// A request and its answer (`"result":…`, `"error":…` or nothing); `via` is json or post-sse.
  mutating func exchange(
    _ session: String, _ n: Int, _ method: String, _ params: String = "{}", at: Int = 0,
    takes: Int, _ answer: String, outcome: String = "ok", status: Int = 200,
    via: String = "post-sse", more: String = ""
  ) {
    let base = #""session":"\#(session)""#
    let t = at * 1_000_000
    let done = (at + takes) * 1_000_000
    let tool = method == "tools/call" ? #""tool":"\#(toolName(params))","# : ""
    add(
      #"{"type":"request",\#(base),"n":\#(n),"t":\#(t - 1000),"sent":\#(t),"dir":"c2s","id":\#(n),"method":"\#(method)",\#(tool)"x":\#(n),"params":\#(params)\#(more)}"#
    )
    let payload = answer.isEmpty ? "" : "," + answer
    add(
      #"{"type":"response",\#(base),"n":\#(n + 1),"re":\#(n),"t":\#(done),"done":\#(done),"dir":"s2c","outcome":"\#(outcome)","status":\#(status),"x":\#(n),"via":"\#(via)"\#(payload)}"#
    )
  }

  /// A call that is answered with a text.
  mutating func call(
    _ session: String, _ n: Int, _ tool: String, _ arguments: String, at: Int = 0, takes: Int,
    text: String, via: String = "post-sse"
  ) {
    exchange(
      session, n, "tools/call", #"{"name":"\#(tool)","arguments":\#(arguments)}"#, at: at,
      takes: takes, #""result":{"text":"\#(text)"}"#, via: via)
  }

  mutating func handshake(_ session: String, _ n: Int = 1, takes: Int = 5) {
    exchange(
      session, n, "initialize", takes: takes,
      #""result":{"protocolVersion":"2025-11-25","of":"\#(session)"}"#)
  }

  private func toolName(_ params: String) -> String {
    params.split(separator: "\"").dropFirst(3).first.map(String.init) ?? ""
  }

  var text: String { lines.joined(separator: "\n") + "\n" }

  func events() throws -> [TraceEvent] {
    var decoder = TraceDecoder()
    decoder.append(ByteBuffer(string: text))
    decoder.end()
    var events: [TraceEvent] = []
    while let event = try decoder.next() { events.append(event) }
    return events
  }

  func book() throws -> ExchangeBook { ExchangeBook(try events()) }
}

/// Builds a recording in place.
func recording(_ build: (inout Recording) -> Void) -> Recording {
  var recording = Recording()
  build(&recording)
  return recording
}
