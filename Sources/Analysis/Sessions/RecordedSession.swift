import Basics
public import Trace

/// The messages and exchanges of one session, each kind in order of (`t`, `n`).
public struct SessionMessages: Sendable {
  /// Requests, both ways.
  public internal(set) var requests: [RequestLine] = []
  /// Responses, both ways.
  public internal(set) var responses: [ResponseLine] = []
  /// Notifications, both ways.
  public internal(set) var notifications: [NotificationLine] = []
  /// Exchanges without JSON-RPC.
  public internal(set) var http: [HTTPLine] = []

  private var answers: [Int: Int] = [:]

  /// Holds nothing.
  public init() {}

  /// How the request `n` ended; `nil` when the trace does not say.
  public func answer(to n: Int) -> ResponseLine? { answers[n].map { responses[$0] } }

  /// Sorts what was gathered and pairs it. O(n log n).
  mutating func arrange() {
    requests.sort { ($0.t, $0.n) < ($1.t, $1.n) }
    responses.sort { ($0.t, $0.n) < ($1.t, $1.n) }
    notifications.sort { ($0.t, $0.n) < ($1.t, $1.n) }
    http.sort { ($0.t, $0.n ?? 0) < ($1.t, $1.n ?? 0) }
    answers.removeAll()
    for (i, line) in responses.enumerated() where answers[line.re] == nil { answers[line.re] = i }
  }

  /// The distinct `x`: HTTP requests that carried these lines.
  public var exchanges: Set<Int> {
    var numbers = Set(requests.lazy.compactMap(\.x))
    numbers.formUnion(responses.lazy.compactMap(\.x))
    numbers.formUnion(notifications.lazy.compactMap(\.x))
    numbers.formUnion(http.lazy.map(\.x))
    return numbers
  }

  /// Requests from the client that the agent wanted, in order of time.
  public var agentRequests: [RequestLine] {
    requests.filter { $0.dir == .c2s && $0.origin == .agent }
  }

  /// The earliest and the latest instant of any line; `nil` when there is none.
  var span: ClosedRange<Int64>? {
    var times = requests.map(\.t) + responses.map { $0.done ?? $0.t }
    times += notifications.map { $0.done ?? $0.t } + notifications.map(\.t)
    times += http.map { $0.done ?? $0.t } + http.map(\.t)
    guard let first = times.min(), let last = times.max() else { return nil }
    return first...last
  }
}

/// One session of a trace: what is said about it, and all that it sent and got.
public struct RecordedSession: Sendable {
  /// Name in the trace.
  public let name: String
  /// The session's lines, merged; `nil` when the trace only has messages of it (cut off early).
  public let line: SessionLine?
  /// How it ended; `nil` when the trace does not say.
  public let end: EndLine?
  /// All that it sent and got.
  public let messages: SessionMessages
  /// The calls its agent made, in order of (`turn`, start).
  public let calls: [LogicalCall]

  init(name: String, line: SessionLine?, end: EndLine?, messages: SessionMessages) {
    self.name = name
    self.line = line
    self.end = end
    var messages = messages
    messages.arrange()
    self.messages = messages
    calls = LogicalCall.calls(of: messages)
  }

  /// First instant of the session.
  public var start: Int64 { line?.t ?? messages.span?.lowerBound ?? end?.t ?? 0 }

  /// Last instant of the session.
  public var finish: Int64 { max(start, end?.t ?? messages.span?.upperBound ?? start) }

  /// The final key, with the value of an earlier line of the same kind where the last has none.
  public var key: SessionKey? {
    guard var key = end?.key else { return line?.key }
    if key.value == nil, let earlier = line?.key, earlier.by == key.by { key.value = earlier.value }
    return key
  }
}
