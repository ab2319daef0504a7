import Basics
import NIOCore
import NIOPosix
import ReplayPlan
import Spawn
import Trace
import Wire

/// The stdio server of one agent: a process of its own, messages a line each.
///
/// Confined to its event loop. Lines come in, messages go to the agent; the agent's end closes the server's input, which asks it to end.
final class AgentProcess: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// Number in the trace of the run.
  let number: Int
  let openedAt: Int64
  private let child: ChildProcess
  private var decoder = LineDecoder()
  private var channel: (any Channel)?
  /// Lines that wait for the pipes to be ready.
  private var waiting: [ByteBuffer] = []
  private let clock: RunClock
  private weak var agent: Agent?
  private var isOver = false
  private(set) var bytesSent = 0
  private(set) var bytesReceived = 0

  init(_ child: ChildProcess, _ agent: Agent, _ clock: RunClock, number: Int) {
    self.child = child
    self.agent = agent
    self.clock = clock
    self.number = number
    openedAt = clock.now
  }

  /// Sends a message as a line.
  func send(_ message: ByteBuffer) {
    var line = message
    line.writeInteger(UInt8(0x0a))
    bytesSent += line.readableBytes
    if let channel { channel.writeAndFlush(line, promise: nil) } else { waiting.append(line) }
  }

  /// Closes the server's input and output.
  func close() {
    isOver = true
    agent = nil
    channel?.close(mode: .all, promise: nil)
    channel = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    guard !isOver else { return context.close(promise: nil) }
    channel = context.channel
    for line in waiting { context.writeAndFlush(NIOAny(line), promise: nil) }
    waiting = []
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    bytesReceived += bytes.readableBytes
    decoder.append(bytes, at: Timestamp(nanoseconds: clock.now))
    deliver()
  }

  func channelInactive(context: ChannelHandlerContext) { over() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    over()
    context.close(promise: nil)
  }

  /// The server has ended, or its pipes could not be used.
  func over() {
    guard !isOver else { return }
    decoder.end()
    deliver()
    guard !isOver else { return }
    isOver = true
    channel = nil
    agent?.processEnded(self, clock.now)
  }

  private func deliver() {
    while !isOver, let event = decoder.next() {
      switch event {
      case .skipped(let bytes, _, _): agent?.garbage(bytes)
      case .line(let text, let size, let first, let last):
        let messages = JSONRPCPayload(text).messages
        if messages.isEmpty, text.readableBytesView.contains(where: { !JSONScan.isSpace($0) }) {
          agent?.garbage(size)
        }
        for message in messages {
          agent?.heard(message, firstByteAt: first.nanoseconds, at: last.nanoseconds)
        }
      }
    }
  }

  /// Its line in the trace, when it starts or when it has ended.
  func line(closedAt: Int64?) -> ConnectionLine {
    let ends = FlowEnds(process: Int(child.id), of: 0)
    var line = ConnectionLine(
      conn: number, t: openedAt, client: ends.client.description, server: ends.server.description)
    line.content = .stdio
    guard let closedAt else { return line }
    line.closed = closedAt
    line.how = FlowEnding.fin.rawValue
    line.bytesC2S = bytesSent
    line.bytesS2C = bytesReceived
    return line
  }
}
