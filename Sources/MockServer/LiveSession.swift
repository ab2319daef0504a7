import Basics

/// One client's conversation with a `ScriptedServer`.
struct LiveSession: Sendable {
  /// The recorded session whose answers it hears; changes when it asks what that one never asked.
  var followed: Int
  /// How often each page of the book was asked for.
  var counts: [Int: Int] = [:]
  /// The open GET stream.
  var stream: ExchangeID?
  /// When its first GET stream opened.
  var streamBase: Timestamp?
  /// The server's own id space, for questions to the client.
  var nextID = 0
  /// Questions to the client that wait for its answer.
  var asked: [RawJSON: ExchangeID] = [:]
  /// Requests of the client that wait for the server's answer.
  var calls: [RawJSON: ExchangeID] = [:]
  /// When its last request came.
  var lastSeen: Timestamp

  init(followed: Int, now: Timestamp) {
    self.followed = followed
    lastSeen = now
  }

  /// True when nothing of it is open.
  var isIdle: Bool { stream == nil && calls.isEmpty }
}

/// An HTTP exchange of a live client, from its request's last byte to the last byte of the answer.
public struct ExchangeID: Hashable, Sendable {
  let number: Int
}

/// What a `ScriptedServer` has seen and done.
public struct ServerCounts: Hashable, Sendable {
  /// HTTP requests.
  public var requests = 0
  /// Sessions that got an id.
  public var sessions = 0
  /// JSON-RPC requests that the recording answers.
  public var asRecorded = 0
  /// JSON-RPC requests with other arguments, answered by a recorded answer to the same tool or method.
  public var standIns = 0
  /// JSON-RPC requests that the recording has no answer for.
  public var unknown = 0
  /// HTTP requests that broke the protocol or named no session that is known.
  public var refused = 0

  /// Counts nothing yet.
  public init() {}
}
