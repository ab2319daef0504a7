public import Basics
import NIOCore

/// A conversation as a transcript: what goes over a connection, when, and what gets lost.
///
/// Times are milliseconds from the beginning; every step moves them on by what it says. Played as flow events into a dissector.
public struct FlowScript: Sendable {
  /// The events so far.
  public private(set) var events: [FlowEvent] = []
  /// Milliseconds since `start`.
  public private(set) var clock: Double = 0
  /// The instant of `clock` 0.
  public static let start = Timestamp(nanoseconds: 1_800_000_000_000_000_000)

  private var flows = 0

  /// Creates an empty transcript.
  public init() {}

  /// The instant of now.
  public var now: Timestamp { FlowScript.start + Int64(clock * 1e6) }

  /// Lets time pass.
  public mutating func pause(_ milliseconds: Double) { clock += milliseconds }

  /// Opens a connection and returns it.
  public mutating func open(host: String = "10.0.0.1", fromStart: Bool = true) -> FlowID {
    flows += 1
    let flow = FlowID(flows)
    let ends = FlowEnds(
      client: Endpoint(host: host, port: 40_000 + flows),
      server: Endpoint(host: "10.0.0.9", port: 80), seenFromStart: fromStart)
    events.append(.opened(flow, ends, at: now))
    return flow
  }

  /// Starts a stdio server and returns its input and output.
  public mutating func start() -> FlowID {
    flows += 1
    let flow = FlowID(flows)
    events.append(.opened(flow, FlowEnds(process: 100 + flows, of: 99), at: now))
    return flow
  }

  /// Sends text as it is.
  public mutating func send(_ flow: FlowID, _ direction: Direction, _ text: String) {
    events.append(.bytes(flow, direction, ByteBuffer(string: text), at: now))
  }

  /// Sends bytes as they are.
  public mutating func send(_ flow: FlowID, _ direction: Direction, _ bytes: [UInt8]) {
    events.append(.bytes(flow, direction, ByteBuffer(bytes: bytes), at: now))
  }

  /// Loses `count` bytes of a direction.
  public mutating func lose(_ flow: FlowID, _ direction: Direction, _ count: Int) {
    events.append(.gap(flow, direction, count: count, at: now))
  }

  /// Ends a direction.
  public mutating func end(_ flow: FlowID, _ direction: Direction, _ how: FlowEnding = .fin) {
    events.append(.ended(flow, direction, how, at: now))
  }

  /// Ends both directions, the client first.
  public mutating func close(_ flow: FlowID) {
    end(flow, .c2s)
    end(flow, .s2c)
  }

  /// The client POSTs a body; `fields` are whole header lines.
  public mutating func post(_ flow: FlowID, _ body: String, _ fields: String...) {
    let extra = fields.map { $0 + "\r\n" }.joined()
    send(
      flow, .c2s,
      "POST /mcp HTTP/1.1\r\nHost: h:80\r\ncontent-type: application/json\r\n"
        + "accept: application/json, text/event-stream\r\n\(extra)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }

  /// The client sends a request without a body.
  public mutating func request(_ flow: FlowID, _ method: String, _ fields: String...) {
    let extra = fields.map { $0 + "\r\n" }.joined()
    send(flow, .c2s, "\(method) /mcp HTTP/1.1\r\nHost: h:80\r\n\(extra)\r\n")
  }

  /// The server answers with a JSON body.
  public mutating func json(_ flow: FlowID, _ body: String, status: Int = 200, _ fields: String...)
  {
    let extra = fields.map { $0 + "\r\n" }.joined()
    send(
      flow, .s2c,
      "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\n\(extra)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }

  /// The server begins a chunked event stream.
  public mutating func stream(_ flow: FlowID, _ fields: String...) {
    let extra = fields.map { $0 + "\r\n" }.joined()
    send(
      flow, .s2c,
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\(extra)"
        + "Transfer-Encoding: chunked\r\n\r\n")
  }

  /// The server sends one event in one chunk; `before` are whole lines in front of the data.
  public mutating func event(_ flow: FlowID, _ data: String, before: String = "") {
    chunk(flow, "\(before)event: message\r\ndata: \(data)\r\n\r\n")
  }

  /// The server sends one chunk.
  public mutating func chunk(_ flow: FlowID, _ text: String) {
    send(flow, .s2c, "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
  }

  /// The server ends a chunked body.
  public mutating func lastChunk(_ flow: FlowID) { send(flow, .s2c, "0\r\n\r\n") }
}
