public import Basics
public import NIOCore
public import Wire

/// Turns what a server sends on one HTTP/1.1 connection into answers.
public struct AnswerDecoder {
  /// What a server says.
  public enum Event: Sendable {
    /// A final status with its fields; `at` is the first byte's time.
    case head(status: Int, fields: HeaderFields, at: Int64)
    /// A JSON-RPC message; `at` is the time of its last byte.
    case message(JSONRPCMessage, isEvent: Bool, firstByteAt: Int64, at: Int64)
    /// An event id or a reconnection time in milliseconds.
    case position(id: String?, retry: Int?)
    /// The address for what the client says, as HTTP+SSE's first event has it.
    case endpoint(String, at: Int64)
    /// The answer is over; `reusable` when the connection can carry another.
    case end(isComplete: Bool, reusable: Bool, unreadable: Bool, at: Int64)
    /// Bytes that are no HTTP answer.
    case garbage(bytes: Int, at: Int64)
  }

  private var http = HTTP1Decoder(role: .response)
  private var answers = AnswerAssembly()
  private var keepsAlive = true

  /// Creates a decoder for a new connection.
  public init() {}

  /// Appends the next bytes; `at` is nanoseconds since the run's beginning.
  public mutating func append(_ bytes: ByteBuffer, at: Int64) {
    http.append(bytes, at: Timestamp(nanoseconds: at))
    drain()
  }

  /// Says that the server has closed.
  public mutating func end(reset: Bool, at: Int64) {
    http.end(reset ? .reset : .fin, at: Timestamp(nanoseconds: at))
    drain()
  }

  /// Forgets what only makes reading faster, for a connection that will be silent for long.
  public mutating func rest() {
    http.rest()
    answers.rest()
  }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> Event? { answers.next() }

  private mutating func drain() {
    while let event = http.next() {
      switch event {
      case .response(let head) where head.isInterim: break
      case .response(let head):
        keepsAlive = head.fields.first("connection")?.lowercased() != "close"
        answers.begin(
          status: head.status, fields: head.fields, at: head.firstByteAt.nanoseconds)
      case .body(let bytes, let at): answers.take(bytes, at.nanoseconds)
      case .end(let isComplete, let at):
        answers.finish(isComplete: isComplete, reusable: keepsAlive, at: at.nanoseconds)
      case .skipped(let bytes, _, let at):
        answers.say(.garbage(bytes: bytes, at: at.nanoseconds))
      case .tunnel(let bytes, let at):
        answers.say(.garbage(bytes: bytes.readableBytes, at: at.nanoseconds))
      case .request, .trailers, .bodyGap, .tunnelGap: break
      }
    }
  }
}
