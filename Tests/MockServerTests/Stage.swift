import Basics
import MockServer
import NIOCore
import Wire

/// A `ScriptedServer` with a clock that only the test moves, in milliseconds.
struct Stage {
  /// What a client saw of an exchange.
  struct Seen: Hashable {
    var status: Int?
    var session: String?
    var type: String?
    /// When the head came.
    var at: Int?
    /// Body of an answer that is no event stream, with the time of its last byte.
    var body: Line?
    /// Messages and comments (`: ping`) of an event stream.
    var events: [Line] = []
    var ending: ScriptedServer.Advance.Ending?
    var endedAt: Int?
  }

  struct Line: Hashable, CustomStringConvertible {
    var at: Int
    var text: String
    init(_ at: Int, _ text: String) {
      self.at = at
      self.text = text
    }
    var description: String { "\(at) ms: \(text)" }
  }

  private struct Open {
    var http = HTTP1Decoder(role: .response)
    var sse: SSEDecoder?
    var next: Timestamp?
    var seen = Seen()
  }

  private(set) var now = 0
  var server: ScriptedServer
  private var open: [ExchangeID: Open] = [:]

  init(_ recording: Recording, atOnce: Bool = false) throws {
    server = ScriptedServer(book: try recording.book(), atOnce: atOnce, seed: 1)
  }

  private var time: Timestamp { Timestamp(nanoseconds: Int64(now) * 1_000_000) }

  /// Sends a request now and lets it write what is due now.
  mutating func send(
    _ method: String, _ fields: [HeaderField] = [], _ body: String = "", target: String = "/mcp"
  ) -> ExchangeID {
    let head = HTTPRequestHead(
      method: method, target: target, fields: HeaderFields(fields), firstByteAt: time, endAt: time)
    let reception = server.receive(head, body: ByteBuffer(string: body), at: time)
    open[reception.exchange] = Open()
    advance(reception.exchange)
    for id in reception.awakened { advance(id) }
    return reception.exchange
  }

  /// Moves the clock to `end`, writing all that becomes due on the way at its time.
  mutating func run(to end: Int) {
    let limit = Timestamp(nanoseconds: Int64(end) * 1_000_000)
    while true {
      let due = open.compactMap { id, exchange in exchange.next.map { (at: $0, id: id) } }
      guard let first = due.min(by: { $0.at < $1.at }), first.at <= limit else { break }
      now = max(now, Int((first.at.nanoseconds + 999_999) / 1_000_000))
      advance(first.id)
    }
    now = end
  }

  private mutating func advance(_ id: ExchangeID) {
    guard var exchange = open[id], exchange.seen.ending == nil else { return }
    let advance = server.advance(id, to: time)
    exchange.next = advance.next
    exchange.http.append(advance.bytes, at: time)
    while let event = exchange.http.next() {
      switch event {
      case .response(let head):
        exchange.seen.status = head.status
        exchange.seen.session = head.fields.first("mcp-session-id")
        exchange.seen.type = head.fields.first("content-type")
        exchange.seen.at = now
        if exchange.seen.type == "text/event-stream" { exchange.sse = SSEDecoder() }
      case .body(let bytes, let at):
        if exchange.sse == nil {
          let text = (exchange.seen.body?.text ?? "") + String(buffer: bytes)
          exchange.seen.body = Line(now, text)
        } else {
          exchange.sse?.append(bytes, at: at)
          while let event = exchange.sse?.next() {
            let text = event.data.map { String(buffer: $0) } ?? ":" + (event.comment ?? "")
            exchange.seen.events.append(Line(now, text))
          }
        }
      case .end, .request, .trailers, .bodyGap, .tunnel, .tunnelGap, .skipped: break
      }
    }
    if let ending = advance.ending {
      exchange.seen.ending = ending
      exchange.seen.endedAt = now
    }
    open[id] = exchange
  }

  func seen(_ id: ExchangeID) -> Seen { open[id]?.seen ?? Seen() }

  /// Sends a request and moves the clock until it is answered, at most a minute.
  mutating func answer(
    _ method: String, _ fields: [HeaderField] = [], _ body: String = "", target: String = "/mcp"
  ) -> Seen {
    let id = send(method, fields, body, target: target)
    while seen(id).ending == nil, now < 60_000, let next = open[id]?.next {
      run(to: Int((next.nanoseconds + 999_999) / 1_000_000))
    }
    return seen(id)
  }

  /// Opens a session and returns its header.
  mutating func initialize(client: String = "agent") -> [HeaderField] {
    let seen = answer("POST", [], Stage.initialize(client: client))
    return seen.session.map { [HeaderField("Mcp-Session-Id", $0)] } ?? []
  }

  /// Calls a tool and returns the text of the recorded result.
  mutating func call(
    _ fields: [HeaderField], _ tool: String, _ arguments: String
  ) -> String? {
    let seen = answer("POST", fields, Stage.call(tool, arguments))
    let text = seen.body?.text ?? seen.events.last?.text ?? ""
    return JSONValue(parsing: text)?["result"]?["text"]?.string
  }

  static func initialize(client: String = "agent") -> String {
    #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"\#(client)","version":"1"}}}"#
  }

  static func call(_ tool: String, _ arguments: String, id: String = "7", meta: String? = nil)
    -> String
  {
    let meta = meta.map { #","_meta":\#($0)"# } ?? ""
    return
      #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)\#(meta)}}"#
  }
}
