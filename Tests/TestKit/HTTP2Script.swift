public import Basics
import NIOCore

/// A conversation over one HTTP/2 connection, as a transcript.
public struct HTTP2Script: Sendable {
  /// The transcript, to move time on or to open other connections.
  public var script: FlowScript
  /// The connection.
  public let flow: FlowID
  private var client = HTTP2Frames()
  private var server = HTTP2Frames()

  /// Opens a connection; both sides say their first frames unless it is joined in the middle.
  public init(_ script: FlowScript = FlowScript(), fromStart: Bool = true, greets: Bool = true) {
    var script = script
    flow = script.open(fromStart: fromStart)
    self.script = script
    guard greets else { return }
    send(.c2s, HTTP2Frames.preface + HTTP2Frames.settings)
    send(.s2c, HTTP2Frames.settings)
  }

  /// The events so far.
  public var events: [FlowEvent] { script.events }

  /// Lets time pass.
  public mutating func pause(_ milliseconds: Double) { script.pause(milliseconds) }

  /// Sends bytes as they are.
  public mutating func send(_ direction: Direction, _ bytes: [UInt8]) {
    script.send(flow, direction, bytes)
  }

  /// Returns HEADERS of a direction, and so keeps its compression in step with what is sent later.
  public mutating func headers(
    _ direction: Direction, _ stream: Int, _ fields: [String], end: Bool = false
  ) -> [UInt8] {
    direction == .c2s
      ? client.headers(stream, fields, end: end) : server.headers(stream, fields, end: end)
  }

  /// The client sends a request without a body.
  public mutating func request(_ stream: Int, _ method: String, _ fields: String...) {
    send(.c2s, headers(.c2s, stream, head(method) + fields, end: true))
  }

  /// The client POSTs a body.
  public mutating func post(_ stream: Int, _ body: String, _ fields: String...) {
    let length = "content-length: \(body.utf8.count)"
    let fields =
      head("POST") + [
        "content-type: application/json", "accept: application/json, text/event-stream",
      ] + fields + [length]
    send(
      .c2s, headers(.c2s, stream, fields) + HTTP2Frames.data(stream, body, end: true))
  }

  /// The server answers with a JSON body.
  public mutating func json(
    _ stream: Int, _ body: String, status: Int = 200, _ fields: String...
  ) {
    let head = [":status: \(status)", "content-type: application/json"] + fields
    send(.s2c, headers(.s2c, stream, head) + HTTP2Frames.data(stream, body, end: true))
  }

  /// The server answers without a body.
  public mutating func empty(_ stream: Int, status: Int) {
    send(.s2c, headers(.s2c, stream, [":status: \(status)"], end: true))
  }

  /// The server begins an event stream.
  public mutating func stream(_ stream: Int, _ fields: String...) {
    let head = [":status: 200", "content-type: text/event-stream"] + fields
    send(.s2c, headers(.s2c, stream, head))
  }

  /// The server sends one event in one DATA frame.
  public mutating func event(_ stream: Int, _ data: String, end: Bool = false) {
    send(
      .s2c, HTTP2Frames.data(stream, "event: message\r\ndata: \(data)\r\n\r\n", end: end))
  }

  /// The server promises a resource.
  public mutating func promise(_ stream: Int, _ promised: Int, _ fields: [String]) {
    send(.s2c, server.promise(stream, promised, fields))
  }

  /// Loses `count` bytes of a direction.
  public mutating func lose(_ direction: Direction, _ count: Int) {
    script.lose(flow, direction, count)
  }

  /// Ends both directions, the client first.
  public mutating func close() { script.close(flow) }

  private func head(_ method: String) -> [String] {
    [":method: \(method)", ":authority: h:80", ":scheme: http", ":path: /mcp"]
  }
}
