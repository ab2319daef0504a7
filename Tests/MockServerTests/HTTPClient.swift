import Basics
import NIOCore
import NIOPosix
import Wire

/// One HTTP/1.1 connection to a server in a test.
final class HTTPClient: Sendable {
  struct Response: Hashable, Sendable {
    var status = 0
    var fields: HeaderFields = []
    var body = ""
    var isComplete = false
  }

  private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

  /// Connects to 127.0.0.1, hands over a connection, closes it.
  static func run<R: Sendable>(
    port: Int, _ body: (HTTPClient, inout Reader) async throws -> R
  ) async throws -> R {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      var reader = Reader(inbound.makeAsyncIterator())
      return try await body(HTTPClient(channel, outbound), &reader)
    }
  }

  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

  private init(
    _ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.channel = channel
    self.outbound = outbound
  }

  func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

  /// The text of a request; `session` is the value of its session header.
  static func request(
    _ method: String, session: String? = nil, body: String = "", fields: String = ""
  ) -> String {
    let session = session.map { "mcp-session-id: \($0)\r\n" } ?? ""
    return "\(method) /mcp HTTP/1.1\r\nhost: x\r\n\(session)\(fields)"
      + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// Reads responses off a connection.
  struct Reader {
    private var bytes: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var decoder = HTTP1Decoder(role: .response)
    private var current = Response()

    init(_ bytes: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.bytes = bytes }

    /// Returns the next whole response; what there is of it when the connection ended first.
    mutating func response() async throws -> Response {
      try await until { $0.isComplete }
    }

    /// Reads on until the response is as wanted.
    mutating func until(_ isWanted: (Response) -> Bool) async throws -> Response {
      while true {
        while let event = decoder.next() {
          switch event {
          case .response(let head):
            current = Response(status: head.status, fields: head.fields)
          case .body(let bytes, _): current.body += String(buffer: bytes)
          case .end(let isComplete, _): current.isComplete = isComplete
          case .request, .trailers, .bodyGap, .tunnel, .tunnelGap, .skipped: break
          }
          if isWanted(current) { return current }
        }
        guard let more = try await bytes.next(isolation: #isolation) else { return current }
        decoder.append(more, at: Timestamp(nanoseconds: 0))
      }
    }

    /// Returns true when the server closes without another byte.
    mutating func isAtEnd() async throws -> Bool {
      try await bytes.next(isolation: #isolation) == nil
    }
  }
}
