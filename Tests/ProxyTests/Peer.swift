import Basics
import Glibc
import NIOCore
import NIOPosix
import TestKit

/// One end of a connection in a test: a client of the proxy, or its upstream.
final class Peer: Sendable {
  enum Ending: Hashable { case fin, reset, lost }

  struct Inbox: Sendable {
    var bytes = ByteBuffer()
    var ending: Ending?
  }

  let channel: any Channel
  /// Its own address.
  let address: Endpoint
  let inbox: Watched<Inbox>

  private init(_ channel: any Channel, _ address: Endpoint, _ inbox: Watched<Inbox>) {
    self.channel = channel
    self.address = address
    self.inbox = inbox
  }

  /// Prepares a channel that has not been read from yet.
  private static func prepare(
    _ channel: any Channel, isReading: Bool, isTCP: Bool
  ) throws -> Watched<Inbox> {
    let inbox = Watched(Inbox())
    try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    try channel.syncOptions?.setOption(.autoRead, value: isReading)
    if isTCP {
      try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
    }
    try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox))
    return inbox
  }

  /// Takes over a channel that was accepted and has not been read from yet.
  static func adopt(_ channel: any Channel, isReading: Bool, isTCP: Bool = true) throws -> Peer {
    Peer(
      channel, Endpoint(host: "", port: 0),
      try prepare(channel, isReading: isReading, isTCP: isTCP))
  }

  /// Connects to `address`; a host with a slash is the path of a Unix socket.
  static func dial(_ address: Endpoint, isReading: Bool = true) async throws -> Peer {
    let prepared = Watched<Watched<Inbox>?>(nil)
    let isTCP = !address.host.contains("/")
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let inbox = try prepare(channel, isReading: isReading, isTCP: isTCP)
          prepared.update { $0 = inbox }
        }
      }
    let target =
      isTCP
      ? try SocketAddress(ipAddress: address.host, port: address.port)
      : try SocketAddress(unixDomainSocketPath: address.host)
    let channel = try await bootstrap.connect(to: target).get()
    guard let inbox = prepared.value else { preconditionFailure("connected uninitialised") }
    let port = channel.localAddress?.port ?? 0
    let host = channel.localAddress?.ipAddress ?? ""
    return Peer(channel, Endpoint(host: host, port: port), inbox)
  }

  /// Connects to `address` and returns how that connection is ended by the other side, which may happen
  /// so soon that connecting itself fails.
  static func endingOfDial(_ address: Endpoint) async throws -> Ending? {
    do {
      return try await dial(address).ending().ending
    } catch let error as IOError where error.errnoCode == ECONNRESET {
      return .reset
    }
  }

  func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }

  /// Sends `bytes` in pieces of random size, without waiting for each to be out.
  func send(_ bytes: ByteBuffer, inChunksUpTo limit: Int, using random: SeededGenerator)
    async throws
  {
    var random = random
    var rest = bytes
    while rest.readableBytes > 0 {
      let size = min(rest.readableBytes, Int.random(in: 1...limit, using: &random))
      guard let chunk = rest.readSlice(length: size) else { return }
      if rest.readableBytes == 0 || Int.random(in: 0..<16, using: &random) == 0 {
        try await channel.writeAndFlush(chunk)
      } else {
        channel.writeAndFlush(chunk, promise: nil)
      }
    }
  }

  /// Sends FIN, keeps reading.
  func finish() async throws { try await channel.close(mode: .output) }

  /// Sends RST.
  func reset() async throws {
    guard let options = channel as? any SocketOptionProvider else { return }
    try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await channel.close()
  }

  func startReading() async throws { try await channel.setOption(.autoRead, value: true).get() }

  /// Waits for `count` bytes in all.
  func received(_ count: Int) async throws -> ByteBuffer {
    try await inbox.wait { $0.bytes.readableBytes >= count || $0.ending != nil }.bytes
  }

  /// Waits for the other side's end, and returns what came before it.
  func ending() async throws -> (ending: Ending?, bytes: ByteBuffer) {
    let inbox = try await inbox.wait { $0.ending != nil }
    return (inbox.ending, inbox.bytes)
  }
}

private final class InboxHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let inbox: Watched<Peer.Inbox>

  init(_ inbox: Watched<Peer.Inbox>) { self.inbox = inbox }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = Self.unwrapInboundIn(data)
    inbox.update { $0.bytes.writeImmutableBuffer(bytes) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { end(.fin) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end((error as? IOError)?.errnoCode == ECONNRESET ? .reset : .lost)
  }

  /// With our own output closed, NIO reports the other side's FIN only as the end of the channel; and
  /// a channel that is closed before it was ever active only loses its handlers.
  func handlerRemoved(context: ChannelHandlerContext) { end(.fin) }

  private func end(_ ending: Peer.Ending) {
    inbox.update { $0.ending = $0.ending ?? ending }
  }
}

/// A server that accepts and hands out what it accepted, in order.
final class Listener: Sendable {
  let channel: any Channel
  let address: Endpoint
  private let accepted: Watched<[Peer]>

  private init(_ channel: any Channel, _ accepted: Watched<[Peer]>) {
    self.channel = channel
    let bound = channel.localAddress
    address = Endpoint(
      host: bound?.ipAddress ?? bound?.pathname ?? "", port: bound?.port ?? 0)
    self.accepted = accepted
  }

  /// Listens on a free port of `host`, or on a Unix socket.
  static func open(
    host: String = "127.0.0.1", port: Int = 0, path: String? = nil, isReading: Bool = true
  ) async throws -> Listener {
    let accepted = Watched<[Peer]>([])
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let peer = try Peer.adopt(channel, isReading: isReading, isTCP: path == nil)
          accepted.update { $0.append(peer) }
        }
      }
    let bound =
      path.map { bootstrap.bind(unixDomainSocketPath: $0) }
      ?? bootstrap.bind(host: host, port: port)
    let channel = try await bound.get()
    return Listener(channel, accepted)
  }

  /// Waits for the connection numbered `index` from 0.
  func connection(_ index: Int = 0) async throws -> Peer {
    try await accepted.wait { $0.count > index }[index]
  }

  func close() async throws { try await channel.close() }
}
