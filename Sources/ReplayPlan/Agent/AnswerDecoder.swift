public import Basics
public import NIOCore
public import Wire

/// Turns what a server sends on one connection into answers: HTTP/1.1, content coding, SSE or JSON, JSON-RPC.
///
/// Theory: a body is an event stream when its content type says so, else one JSON text; which of the two is the server's
/// choice, answer by answer. What is neither is `unreadable`, once, and the exchange ends as HTTP says.
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

  /// Longest JSON body that is kept (an SDK server refuses 4 MiB; tools may return more).
  public static let bodyLimit = 64 << 20

  private enum Body {
    case none
    case events(SSEDecoder)
    case json(ByteBuffer, firstByteAt: Int64)
    case ignored
  }

  private var http = HTTP1Decoder(role: .response)
  private var content: ContentDecoder?
  private var body = Body.none
  private var keepsAlive = true
  private var unreadable = false
  private var ready: [Event] = []
  private var readyFrom = 0

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
    guard readyFrom == ready.count else { return }
    ready = []
    readyFrom = 0
  }

  /// Returns the next event, `nil` when more bytes are needed.
  public mutating func next() -> Event? {
    guard readyFrom < ready.count else {
      ready.removeAll(keepingCapacity: true)
      readyFrom = 0
      return nil
    }
    readyFrom += 1
    return ready[readyFrom - 1]
  }

  private mutating func drain() {
    while let event = http.next() {
      switch event {
      case .response(let head) where head.isInterim: break
      case .response(let head): begin(head)
      case .body(let bytes, let at): take(bytes, at.nanoseconds)
      case .end(let isComplete, let at): finish(isComplete, at.nanoseconds)
      case .skipped(let bytes, _, let at):
        ready.append(.garbage(bytes: bytes, at: at.nanoseconds))
      case .tunnel(let bytes, let at):
        ready.append(.garbage(bytes: bytes.readableBytes, at: at.nanoseconds))
      case .request, .trailers, .bodyGap, .tunnelGap: break
      }
    }
  }

  private mutating func begin(_ head: HTTPResponseHead) {
    let type = head.fields.first("content-type")?.lowercased() ?? ""
    keepsAlive = head.fields.first("connection")?.lowercased() != "close"
    unreadable = false
    content = ContentDecoder(fields: head.fields)
    body =
      type.hasPrefix("text/event-stream")
      ? .events(SSEDecoder())
      : .json(ByteBuffer(), firstByteAt: head.firstByteAt.nanoseconds)
    ready.append(
      .head(status: head.status, fields: head.fields, at: head.firstByteAt.nanoseconds))
  }

  private mutating func take(_ coded: ByteBuffer, _ at: Int64) {
    let bytes = content.map { $0.decode(coded) } ?? coded
    switch body {
    case .none, .ignored: break
    case .events(var decoder):
      body = .none
      decoder.append(bytes, at: Timestamp(nanoseconds: at))
      while let event = decoder.next() { take(event) }
      body = .events(decoder)
    case .json(var text, let firstByteAt):
      body = .none
      guard text.readableBytes + bytes.readableBytes <= AnswerDecoder.bodyLimit else {
        unreadable = true
        body = .ignored
        return
      }
      if text.readableBytes == 0 { text = bytes } else { text.writeImmutableBuffer(bytes) }
      body = .json(text, firstByteAt: firstByteAt)
    }
  }

  private mutating func take(_ event: SSEEvent) {
    if event.id != nil || event.retry != nil {
      ready.append(.position(id: event.id, retry: event.retry))
    }
    guard let data = event.data, data.readableBytes > 0 else { return }
    if event.name == "endpoint" {
      ready.append(.endpoint(String(buffer: data), at: event.lastByteAt.nanoseconds))
      return
    }
    let messages = JSONRPCPayload(data).messages
    if messages.isEmpty { unreadable = true }
    for message in messages {
      ready.append(
        .message(
          message, isEvent: true, firstByteAt: event.firstByteAt.nanoseconds,
          at: event.lastByteAt.nanoseconds))
    }
  }

  private mutating func finish(_ isComplete: Bool, _ at: Int64) {
    if case .json(let text, let firstByteAt) = body, text.readableBytes > 0 {
      let messages = isComplete ? JSONRPCPayload(text).messages : []
      if messages.isEmpty { unreadable = true }
      for message in messages {
        ready.append(.message(message, isEvent: false, firstByteAt: firstByteAt, at: at))
      }
    }
    body = .none
    ready.append(
      .end(
        isComplete: isComplete, reusable: isComplete && keepsAlive, unreadable: unreadable, at: at))
  }
}
