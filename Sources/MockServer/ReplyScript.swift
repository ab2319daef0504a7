import Basics
import NIOCore

/// What a server still has to write on one exchange, and when.
///
/// Theory: steps at offsets from a base, the last byte of the request; they are written when their time has come, never
/// earlier. A question to the client (elicitation, sampling) stops the clock: the steps behind it were recorded
/// relative to the client's answer, so the base moves when the live answer comes. An open event stream says
/// a comment after 15 s of silence.
///
/// Legal transitions: running → asking → running → … → ended; any → ended by `cut`. Asking a script that has ended is ignored.
struct ReplyScript: Sendable {
  /// What to write; each is one write.
  enum Action: Sendable {
    case bytes(ByteBuffer)
    /// A whole JSON answer.
    case json(status: Int, session: String?, LiveMessage)
    case eventStreamHead(status: Int, session: String?)
    /// A whole event.
    case event(LiveMessage)
    /// An event whose answer by the client, recorded at `resume`, lets the script go on.
    case ask(id: RawJSON, LiveMessage, resume: Int64)
    case lastChunk
    /// The connection is free for the next request.
    case end
    /// The connection closes.
    case hangUp
  }

  /// An action and its offset from the base, nanoseconds.
  struct Step: Sendable {
    var at: Int64
    var action: Action
  }

  /// Silence before a comment (what sse-starlette and both Python SDKs do).
  static let keepAliveInterval: Int64 = 15_000_000_000
  private static let keepAlive = HTTPAnswer.chunk(ByteBuffer(staticString: ": ping\n\n"))

  private var base: Timestamp
  private var steps: [Step]
  private var next = 0
  private var asked: (id: RawJSON, resume: Int64)?
  private var streamWrittenAt: Timestamp?

  /// Starts a script; `steps` are in order of time.
  init(from base: Timestamp, _ steps: [Step]) {
    self.base = base
    self.steps = steps
  }

  /// Says that the client answered a question. Returns false when it was not asked.
  mutating func answered(_ id: RawJSON, at now: Timestamp) -> Bool {
    guard let asked, asked.id == id else { return false }
    base = now + (0 &- asked.resume)
    self.asked = nil
    return true
  }

  /// Replaces all that is left by `steps`, due at once. A stream that was opened is closed by its last chunk.
  mutating func cut(_ rest: [Action], at now: Timestamp) {
    base = now
    next = 0
    asked = nil
    let tail: [Action] = streamWrittenAt == nil ? [.end] : [.lastChunk, .end]
    steps = (rest + tail).map { Step(at: 0, action: $0) }
  }

  /// True when an event stream was opened.
  var isStreaming: Bool { streamWrittenAt != nil }

  /// Returns all that is due at `now`.
  mutating func advance(to now: Timestamp) -> ScriptedServer.Advance {
    var advance = ScriptedServer.Advance()
    while asked == nil, next < steps.count, base + steps[next].at <= now {
      perform(steps[next].action, now, &advance)
      next += 1
      if advance.ending != nil { return advance }
    }
    if let last = streamWrittenAt {
      if last + ReplyScript.keepAliveInterval <= now {
        advance.bytes.writeImmutableBuffer(ReplyScript.keepAlive)
        streamWrittenAt = now
      }
      advance.next = (streamWrittenAt ?? now) + ReplyScript.keepAliveInterval
    }
    if asked == nil, next < steps.count {
      let due = base + steps[next].at
      advance.next = advance.next.map { min($0, due) } ?? due
    }
    return advance
  }

  private mutating func perform(
    _ action: Action, _ now: Timestamp, _ advance: inout ScriptedServer.Advance
  ) {
    switch action {
    case .bytes(let bytes): advance.bytes.writeImmutableBuffer(bytes)
    case .json(let status, let session, let message):
      var body = ByteBuffer()
      message.write(to: &body)
      advance.bytes.writeImmutableBuffer(
        HTTPAnswer.whole(status, type: "application/json", session: session, body: body))
    case .eventStreamHead(let status, let session):
      advance.bytes.writeImmutableBuffer(
        HTTPAnswer.eventStreamHead(status, session: session))
      streamWrittenAt = now
    case .event(let message): event(message, now, &advance)
    case .ask(let id, let message, let resume):
      event(message, now, &advance)
      asked = (id, resume)
    case .lastChunk: advance.bytes.writeImmutableBuffer(HTTPAnswer.lastChunk)
    case .end: advance.ending = .keepAlive
    case .hangUp: advance.ending = .hangUp
    }
  }

  private mutating func event(
    _ message: LiveMessage, _ now: Timestamp, _ advance: inout ScriptedServer.Advance
  ) {
    var part = ByteBuffer(staticString: "event: message\ndata: ")
    message.write(to: &part)
    part.writeStaticString("\n\n")
    advance.bytes.writeImmutableBuffer(HTTPAnswer.chunk(part))
    streamWrittenAt = now
  }
}
