import Basics
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// A server of a test: a closure says how each request is answered.
final class TinyServer: Sendable {
  /// A request as it came.
  struct Request: Sendable {
    var method: String
    var fields: HeaderFields
    var body: JSONValue
    /// Number of the connection, and of the request on it, from 0.
    var connection: Int
    var place: Int

    /// The tool that is called, if one is.
    var tool: String? {
      body["method"]?.string == "tools/call" ? body["params"]?["name"]?.string : nil
    }
  }

  /// What goes back.
  enum Reply: Sendable {
    /// A JSON answer with the request's id.
    case json(String, after: TimeAmount = .zero, closes: Bool = false)
    /// An event stream that ends behind the answer.
    case events(String)
    /// A status without a body.
    case status(Int, fields: String = "")
    /// A stream that stays open.
    case stream
    /// Bytes as they are, then the end.
    case raw(String)
    /// Nothing, ever.
    case silence
    /// The end of the connection.
    case close
    /// An answer, and the end of the connection a little later without a word.
    case jsonThenClose(String)
  }

  let port: Int
  private let channel: any Channel
  private let state: State

  /// Requests so far, in the order they came.
  var requests: [Request] { state.values.withLock { $0.requests } }

  /// Calls of tools so far.
  var calls: [String] { requests.compactMap(\.tool) }

  /// Connections so far.
  var connections: Int { state.values.withLock { $0.channels.count } }

  private init(_ channel: any Channel, _ state: State) {
    self.channel = channel
    self.state = state
    port = channel.localAddress?.port ?? 0
  }

  static func start(
    port: Int = 0, _ reply: @escaping @Sendable (Request) -> Reply
  ) async throws -> TinyServer {
    let state = State()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        let number = state.add(channel)
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            TinyConnection(number: number, reply) { state.note($0) })
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    return TinyServer(channel, state)
  }

  /// Stops listening and cuts every connection.
  func kill() async throws {
    try await channel.close()
    for child in state.values.withLock({ $0.channels }) { child.close(promise: nil) }
  }

  private final class State: Sendable {
    struct Values {
      var channels: [any Channel] = []
      var requests: [Request] = []
    }

    let values = Mutex(Values())

    func add(_ channel: any Channel) -> Int {
      values.withLock {
        $0.channels.append(channel)
        return $0.channels.count - 1
      }
    }

    func note(_ request: Request) { values.withLock { $0.requests.append(request) } }
  }
}
