import Basics
import NIOCore
import Wire

/// One connection of a `TinyServer`.
final class TinyConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let number: Int
  private let reply: @Sendable (TinyServer.Request) -> TinyServer.Reply
  private let note: @Sendable (TinyServer.Request) -> Void
  private var decoder = HTTP1Decoder(role: .request)
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  private var count = 0

  init(
    number: Int, _ reply: @escaping @Sendable (TinyServer.Request) -> TinyServer.Reply,
    note: @escaping @Sendable (TinyServer.Request) -> Void
  ) {
    self.number = number
    self.reply = reply
    self.note = note
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data), at: Timestamp(nanoseconds: 0))
    while let event = decoder.next() {
      switch event {
      case .request(let head):
        self.head = head
        body.clear()
      case .body(let bytes, _): body.writeImmutableBuffer(bytes)
      case .end: answer(context)
      case .response, .trailers, .bodyGap, .tunnel, .tunnelGap, .skipped: break
      }
    }
  }

  private func answer(_ context: ChannelHandlerContext) {
    guard let head else { return }
    let request = TinyServer.Request(
      method: head.method, fields: head.fields, body: JSONValue(parsing: body) ?? .null,
      connection: number, place: count)
    count += 1
    note(request)
    let id = request.body["id"]?.text ?? "null"
    switch reply(request) {
    case .json(let content, let after, let closes):
      let text = TinyConnection.json(content, id, closes ? "connection: close\r\n" : "")
      let channel = context.channel
      context.eventLoop.scheduleTask(in: after) {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        if closes { channel.close(promise: nil) }
      }
    case .jsonThenClose(let content):
      write(context, TinyConnection.json(content, id, ""))
      let channel = context.channel
      context.eventLoop.scheduleTask(in: .milliseconds(30)) { channel.close(promise: nil) }
    case .events(let content):
      let data = "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":\(id),\(content)}\r\n\r\n"
      let note = ": hello\r\n\r\n"
      write(
        context,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
          + TinyConnection.chunk(note) + TinyConnection.chunk(data) + "0\r\n\r\n")
    case .status(let status, let fields):
      write(context, "HTTP/1.1 \(status) X\r\n\(fields)content-length: 0\r\n\r\n")
    case .stream:
      write(
        context,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    case .raw(let text):
      write(context, text)
      context.close(promise: nil)
    case .silence: break
    case .close: context.close(promise: nil)
    }
  }

  private func write(_ context: ChannelHandlerContext, _ text: String) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
  }

  private static func json(_ content: String, _ id: String, _ fields: String) -> String {
    let body = "{\"jsonrpc\":\"2.0\",\"id\":\(id),\(content)}"
    return "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: live\r\n\(fields)"
      + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private static func chunk(_ text: String) -> String {
    String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n"
  }
}
