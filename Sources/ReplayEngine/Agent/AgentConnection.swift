import Basics
import NIOCore
import ReplayPlan
import Trace

/// One TCP connection of an agent; carries one exchange at a time.
///
/// Confined to its event loop. Bytes come in, answers go to the agent; who is waiting for them is the agent's affair.
final class AgentConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// The request on its way, until its answer's last byte.
  var transmission: Transmission?
  /// True once bytes of the present answer came.
  var hasAnswer = false
  /// True when an earlier exchange used this connection.
  var isReused = false
  /// Number in the trace of the run.
  let number: Int
  private var decoder = AnswerDecoder()
  private var channel: (any Channel)?
  private let clock: RunClock
  private weak var agent: Agent?
  private(set) var openedAt: Int64
  /// Both ends, once connected.
  private(set) var ends: (client: Endpoint, server: Endpoint)?
  private(set) var bytesSent = 0
  private(set) var bytesReceived = 0
  private var isOver = false
  private var isClosed = false

  init(_ agent: Agent, _ clock: RunClock, number: Int) {
    self.agent = agent
    self.clock = clock
    self.number = number
    openedAt = clock.now
  }

  /// Sends the next request.
  func send(_ transmission: Transmission) {
    self.transmission = transmission
    hasAnswer = false
    bytesSent += transmission.bytes.readableBytes
    channel?.writeAndFlush(transmission.bytes, promise: nil)
  }

  func close() {
    isOver = true
    agent = nil
    channel?.close(mode: .all, promise: nil)
    channel = nil
  }

  /// Nothing will be sent for long.
  func rest() { decoder.rest() }

  func channelActive(context: ChannelHandlerContext) {
    guard !isOver else { return context.close(promise: nil) }
    channel = context.channel
    ends = (
      AgentConnection.endpoint(context.localAddress),
      AgentConnection.endpoint(context.remoteAddress)
    )
    agent?.connected(self)
    guard let transmission else { return }
    bytesSent += transmission.bytes.readableBytes
    context.writeAndFlush(wrapOutboundOut(transmission.bytes), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasAnswer = true
    let bytes = unwrapInboundIn(data)
    bytesReceived += bytes.readableBytes
    decoder.append(bytes, at: clock.now)
    deliver()
  }

  func channelInactive(context: ChannelHandlerContext) { over(reset: false) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    over(reset: true)
    context.close(promise: nil)
  }

  /// The connection could not be made, or is gone.
  func over(reset: Bool) {
    guard !isOver, !isClosed else { return }
    isClosed = true
    decoder.end(reset: reset, at: clock.now)
    deliver()
    isOver = true
    channel = nil
    agent?.lost(self, clock.now, reset: reset)
  }

  private func deliver() {
    let told = agent
    defer { told?.settle() }
    while let event = decoder.next() {
      guard let agent, !isOver else { return }
      guard let exchange = transmission?.exchange else {
        // Bytes that nobody asked for: the connection is not to be trusted.
        agent.drop(self)
        return
      }
      switch event {
      case .end(_, let reusable, _, _):
        transmission = nil
        isReused = true
        agent.answered(self, exchange, event, reusable: reusable && !isClosed)
      case .garbage:
        transmission = nil
        agent.answered(self, exchange, event, reusable: false)
      case .head, .message, .position, .endpoint: agent.received(exchange, event)
      }
    }
  }
}

extension AgentConnection {
  typealias OutboundOut = ByteBuffer

  private static func endpoint(_ address: SocketAddress?) -> Endpoint {
    Endpoint(host: address?.ipAddress ?? "", port: address?.port ?? 0)
  }

  /// The connection's line, when it opens or when it has ended.
  func line(closedAt: Int64?, how: FlowEnding) -> ConnectionLine {
    let unknown = Endpoint(host: "0.0.0.0", port: 0)
    var line = ConnectionLine(
      conn: number, t: openedAt, client: (ends?.client ?? unknown).description,
      server: (ends?.server ?? unknown).description)
    line.content = .http1
    guard let closedAt else { return line }
    line.closed = closedAt
    line.how = how.rawValue
    line.bytesC2S = bytesSent
    line.bytesS2C = bytesReceived
    return line
  }
}
