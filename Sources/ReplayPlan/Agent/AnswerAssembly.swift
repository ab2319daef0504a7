public import Basics
public import NIOCore
import Wire

/// Turns one answer after the other into what they say: content coding, SSE or JSON, JSON-RPC. Which version of HTTP brings them is
/// the caller's affair.
///
/// Theory: a body is an event stream when its content type says so, else one JSON text; which of the two is the server's
/// choice, answer by answer. What is neither is `unreadable`, once, and the exchange ends as HTTP says.
public struct AnswerAssembly {
  /// Longest JSON body that is kept (an SDK server refuses 4 MiB; tools may return more).
  public static let bodyLimit = 64 << 20

  private enum Body {
    case none
    case events(SSEDecoder)
    case json(ByteBuffer, firstByteAt: Int64)
    case ignored
  }

  private var content: ContentDecoder?
  private var body = Body.none
  private var unreadable = false
  private var ready: [AnswerDecoder.Event] = []
  private var readyFrom = 0

  /// Creates an assembly that waits for a head.
  public init() {}

  /// Forgets what only makes reading faster.
  mutating func rest() {
    guard readyFrom == ready.count else { return }
    ready = []
    readyFrom = 0
  }

  /// Returns the next event, `nil` when more is needed.
  public mutating func next() -> AnswerDecoder.Event? {
    guard readyFrom < ready.count else {
      ready.removeAll(keepingCapacity: true)
      readyFrom = 0
      return nil
    }
    readyFrom += 1
    return ready[readyFrom - 1]
  }

  mutating func say(_ event: AnswerDecoder.Event) { ready.append(event) }

  /// Takes a final head.
  public mutating func begin(status: Int, fields: HeaderFields, at: Int64) {
    let type = fields.first("content-type")?.lowercased() ?? ""
    unreadable = false
    content = ContentDecoder(fields: fields)
    body =
      type.hasPrefix("text/event-stream")
      ? .events(SSEDecoder()) : .json(ByteBuffer(), firstByteAt: at)
    ready.append(.head(status: status, fields: fields, at: at))
  }

  /// Takes a part of the body.
  public mutating func take(_ coded: ByteBuffer, _ at: Int64) {
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
      guard text.readableBytes + bytes.readableBytes <= AnswerAssembly.bodyLimit else {
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

  /// Takes the end; `reusable` when the connection can carry another answer.
  public mutating func finish(isComplete: Bool, reusable: Bool, at: Int64) {
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
        isComplete: isComplete, reusable: isComplete && reusable, unreadable: unreadable, at: at))
  }
}
