import Basics
import MCP
import Trace

/// One recorded request's answer, with times relative to the request's last byte.
struct RecordedExchange: Sendable {
  /// What the server said in the end.
  enum Answer: Sendable {
    case result(RawJSON)
    case error(RawJSON)
    /// A body that is no JSON-RPC message.
    case body(String)
    /// The connection broke before an answer was complete.
    case brokenOff
    /// The client gave up; the server's answer is not known.
    case silence
  }

  /// How the answer travels.
  enum Style: Sendable {
    case json
    case sse
  }

  /// A message that the server sent on the answer's stream, before the answer.
  struct Interlude: Sendable {
    let at: Int64
    let message: Message

    enum Message: Sendable {
      case notification(method: String, params: RawJSON?)
      /// `answeredAt` is when the client's answer arrived; the rest of the stream waits for it.
      case request(method: String, params: RawJSON?, answeredAt: Int64?)
    }
  }

  /// Index into the book's sessions.
  let session: Int
  let answer: Answer
  let status: Int
  let style: Style
  /// Last byte of the answer: the service time.
  let done: Int64
  /// In order of time.
  let interludes: [Interlude]
  /// The recorded server said that it no longer knew the session.
  let losesSession: Bool

  /// True when it may answer for a question that nobody asked in the recording.
  var canStandIn: Bool {
    switch answer {
    case .result, .error: !losesSession
    case .body, .brokenOff, .silence: false
    }
  }
}

/// What the recording says of a session, as far as a server needs it.
struct RecordedSession: Sendable {
  /// The server named it by `Mcp-Session-Id`.
  var isStateful = false
  var revision: String?
  var client: Implementation?
  var server: Implementation?
  /// Index of the answered `initialize` in the book.
  var initialize: Int?
  /// What came over its GET streams, relative to the opening of the first.
  var streamMessages: [RecordedExchange.Interlude] = []

  /// Revision 2026-07-28 and later: no handshake, no session id.
  var isModern: Bool { revision.map { Revision($0).isStateless } ?? false }
}
