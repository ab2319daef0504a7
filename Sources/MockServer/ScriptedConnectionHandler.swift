import Basics
import NIOCore
import Wire

/// One client connection: reads whole requests, lets the server answer them one after the other.
///
/// Theory: HTTP/1.1 (RFC 9112 §9.3): requests may be pipelined and are answered in order; the next one starts when the answer
/// to the one before is complete, with the service time counted from its own last byte. Bytes that are no HTTP get a 400
/// and the connection closes.
final class ScriptedConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private struct Request {
    var head: HTTPRequestHead
    var body = ByteBuffer()
    var endAt: Timestamp
    var closes: Bool
  }

  /// Largest request body (SDK servers stop at 4 MiB).
  private static let bodyLimit = 4 << 20
  /// Requests that may wait behind an answer; a client that pipelines more is cut off.
  private static let pipelineLimit = 64

  private let hub: ServerHub
  private var decoder = HTTP1Decoder(role: .request)
  private var reading: Request?
  private var waiting: [Request] = []
  private var current: ExchangeID?
  private var closesAfterCurrent = false
  private var isClosed = false
  private var timer: Scheduled<Void>?
  private var context: ChannelHandlerContext?

  init(_ hub: ServerHub) { self.hub = hub }

  private static func now() -> Timestamp {
    Timestamp(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds))
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data), at: ScriptedConnectionHandler.now())
    while !isClosed, let event = decoder.next() { take(event, context) }
    startNext()
  }

  func channelInactive(context: ChannelHandlerContext) {
    close(context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func take(_ event: HTTP1Decoder.Event, _ context: ChannelHandlerContext) {
    switch event {
    case .request(let head):
      if head.fields.first("expect")?.lowercased() == "100-continue", current == nil {
        write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"), context)
      }
      let closes = head.fields.first("connection")?.lowercased() == "close"
      reading = Request(head: head, endAt: head.endAt, closes: closes)
    case .body(let bytes, _):
      reading?.body.writeImmutableBuffer(bytes)
      if let reading, reading.body.readableBytes > ScriptedConnectionHandler.bodyLimit {
        reject(413, context)
      }
    case .end(let isComplete, let at):
      guard var request = reading.take() else { return }
      request.endAt = at
      if isComplete { waiting.append(request) }
      if waiting.count > ScriptedConnectionHandler.pipelineLimit { reject(429, context) }
    case .skipped, .tunnel: reject(400, context)
    case .response, .trailers, .bodyGap, .tunnelGap: break
    }
  }

  /// Answers what cannot be a request, after which the connection is of no use.
  private func reject(_ status: Int, _ context: ChannelHandlerContext) {
    if current == nil { write(HTTPAnswer.whole(status), context) }
    hangUp(context)
  }

  private func startNext() {
    while current == nil, !isClosed, !waiting.isEmpty {
      let request = waiting.removeFirst()
      closesAfterCurrent = request.closes
      let reception = hub.server.receive(request.head, body: request.body, at: request.endAt)
      current = reception.exchange
      hub.own(reception.exchange, by: self)
      advanceOnce()
      hub.wake(reception.awakened)
    }
  }

  /// Writes what is due and goes on with the next request when the answer is complete.
  func advance() {
    advanceOnce()
    startNext()
  }

  private func advanceOnce() {
    guard let context, let id = current else { return }
    timer?.cancel()
    timer = nil
    let advance = hub.server.advance(id, to: ScriptedConnectionHandler.now())
    if advance.bytes.readableBytes > 0 { write(advance.bytes, context) }
    if let ending = advance.ending {
      hub.disown(id)
      current = nil
      if ending == .hangUp || closesAfterCurrent { hangUp(context) }
    } else if let next = advance.next {
      let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, next.nanoseconds)))
      timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.advance() }
    }
  }

  private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  /// Closes once all that was written has left.
  private func hangUp(_ context: ChannelHandlerContext) {
    let written = context.eventLoop.makePromise(of: Void.self)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    close(context)
  }

  private func close(_ context: ChannelHandlerContext) {
    isClosed = true
    timer?.cancel()
    timer = nil
    waiting = []
    guard let id = current else { return }
    current = nil
    hub.disown(id)
    hub.server.abandon(id)
  }
}
