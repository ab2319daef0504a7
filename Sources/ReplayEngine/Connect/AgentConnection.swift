import Basics
import NIOCore
import ReplayPlan
import Trace
import Wire

/// One TCP connection of a pool; carries one exchange at a time, over HTTP/2 several.
///
/// Confined to its event loop. Bytes come in, answers go to the agents that wait for them; which connection takes what is the pool's
/// affair.
final class AgentConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// A request and who waits for its answer.
  struct Job {
    let agent: Agent
    let transmission: Transmission
    /// The connection that carried it in the recording, counted within its session.
    var place: Int?
    /// True when the recording has nothing more on that connection.
    var isLast = false
    /// True for a stream that stays open.
    var isLong = false
    /// True once it was sent a second time.
    var isRepeated = false
  }

  /// Number in the trace of the run.
  let number: Int
  /// Its place in the recording.
  var place: Int?
  /// True for a connection of one stream that stays open, in a shared pool.
  var isApart = false
  /// The request on its way, until its answer's last byte.
  private var job: Job?
  /// True once bytes of the present answer came.
  private var hasAnswer = false
  /// True when an earlier exchange used this connection.
  private var isReused = false
  private var decoder = AnswerDecoder()
  /// Over HTTP/2 all exchanges are here.
  let http2: HTTP2Wire?
  private(set) var channel: (any Channel)?
  let worker: LoopWorker
  private(set) weak var pool: ConnectionPool?
  private let openedAt: Int64
  /// Both ends, once connected.
  private var ends: (client: Endpoint, server: Endpoint)?
  private(set) var bytesSent = 0
  private(set) var bytesReceived = 0
  private(set) var isOver = false
  private var isClosed = false
  private var isDelivering = false

  init(_ pool: ConnectionPool, _ worker: LoopWorker, number: Int) {
    self.pool = pool
    self.worker = worker
    self.number = number
    http2 = worker.isHTTP2 ? HTTP2Wire() : nil
    openedAt = worker.clock.now
  }

  /// Requests on their way.
  var load: Int {
    if let http2 { return http2.streams.count + http2.queue.count }
    return job == nil ? 0 : 1
  }

  /// Whether it takes another request now.
  var hasRoom: Bool { http2.map { $0.client.isUsable } ?? (job == nil) }

  /// Sends a request, as soon as the connection is there.
  func send(_ job: Job) {
    if let http2 {
      http2.queue.append(job)
      if channel != nil { flush(http2) }
      return
    }
    self.job = job
    hasAnswer = false
    if let channel { write(job.transmission.bytes, to: channel) }
  }

  private func write(_ bytes: ByteBuffer, to channel: any Channel) {
    bytesSent += bytes.readableBytes
    channel.writeAndFlush(bytes, promise: nil)
  }

  /// Sends what the HTTP/2 machine has to say.
  func flush(_ http2: HTTP2Wire) {
    http2.fill(isSecure: worker.isSecure)
    if let channel, let bytes = http2.client.output() { write(bytes, to: channel) }
  }

  func close() {
    isOver = true
    job = nil
    http2?.streams = [:]
    http2?.queue = []
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
    worker.opened(self)
    if let http2 {
      flush(http2)
    } else if let job {
      write(job.transmission.bytes, to: context.channel)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    bytesReceived += bytes.readableBytes
    if let http2 { return received(bytes, http2) }
    hasAnswer = true
    decoder.append(bytes, at: worker.clock.now)
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
    let now = worker.clock.now
    if let http2 { return over(http2, reset: reset) }
    decoder.end(reset: reset, at: now)
    deliver()
    guard !isOver else { return }
    isOver = true
    channel = nil
    let lost = job
    job = nil
    pool?.lost(self, reset: reset)
    guard let lost else { return }
    // The server closed while it was idle: real clients dial again, once.
    if isReused, !hasAnswer, !lost.agent.isFinished, let pool { return pool.sendAgain(lost) }
    lost.agent.failed(lost.transmission.exchange, now)
  }

  /// The end of an HTTP/2 connection is that of all its streams; what the server had no time to look at is sent again.
  private func over(_ http2: HTTP2Wire, reset: Bool) {
    isOver = true
    let gone = channel
    channel = nil
    let (streams, queue) = (http2.streams, http2.queue)
    (http2.streams, http2.queue) = ([:], [])
    pool?.lost(self, reset: reset)
    for (_, stream) in streams.sorted(by: { $0.key < $1.key }) { fail(stream) }
    for job in queue { again(job) }
    gone?.close(mode: .all, promise: nil)
  }

  /// Gives an exchange up; true when the connection has to be closed for it.
  func abandon(_ exchange: Int, of agent: Agent) -> Bool {
    guard let http2 else {
      return job.map { $0.agent === agent && $0.transmission.exchange == exchange } ?? false
    }
    http2.queue.removeAll { $0.agent === agent && $0.transmission.exchange == exchange }
    cancel(http2) { $0.agent === agent && $0.transmission.exchange == exchange }
    return false
  }

  /// Gives all exchanges of an agent up; true when the connection has to be closed for it.
  func abandonAll(of agent: Agent) -> Bool {
    // An answer that is being read may be whole: then the connection serves on.
    guard let http2 else { return !isDelivering && job.map { $0.agent === agent } ?? false }
    http2.queue.removeAll { $0.agent === agent }
    cancel(http2) { $0.agent === agent }
    return false
  }

  private func deliver() {
    let told = job?.agent
    isDelivering = true
    defer {
      isDelivering = false
      if let job, job.agent.isFinished { pool?.drop(self) }
      told?.settle()
    }
    while let event = decoder.next() {
      guard !isOver else { return }
      guard let job else {
        // Bytes that nobody asked for: the connection is not to be trusted.
        pool?.drop(self)
        return
      }
      switch event {
      case .end(_, let reusable, _, _):
        self.job = nil
        isReused = true
        pool?.finished(job, on: self, reusable: reusable && !isClosed)
      case .garbage:
        self.job = nil
        pool?.finished(job, on: self, reusable: false)
      case .head, .message, .position, .endpoint: break
      }
      if !job.agent.isFinished { job.agent.received(job.transmission.exchange, event) }
    }
  }
}

extension AgentConnection {
  private static func endpoint(_ address: SocketAddress?) -> Endpoint {
    Endpoint(host: address?.ipAddress ?? "", port: address?.port ?? 0)
  }

  /// The connection's line, when it opens or when it has ended.
  func line(closedAt: Int64?, how: FlowEnding) -> ConnectionLine {
    let unknown = Endpoint(host: "0.0.0.0", port: 0)
    var line = ConnectionLine(
      conn: number, t: openedAt, client: (ends?.client ?? unknown).description,
      server: (ends?.server ?? unknown).description)
    line.content = http2 == nil ? .http1 : .h2
    guard let closedAt else { return line }
    line.closed = closedAt
    line.how = how.rawValue
    line.bytesC2S = bytesSent
    line.bytesS2C = bytesReceived
    return line
  }
}
