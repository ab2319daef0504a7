public import Basics
public import NIOCore
import ReplayPlan
public import Wire

/// Answers MCP clients as a recorded server did, without I/O and without a clock.
///
/// Theory: MCP over Streamable HTTP (2025-03-26 to 2025-11-25, and 2026-07-28). A request gets what the recording has
/// for the same question; the n-th time in a session the n-th answer, the last one repeats. Where there are no
/// sessions the answers go round. The caller owns sockets and time: it hands over each whole request, then calls
/// `advance` when `next` says so, writes the bytes, and closes or reuses the connection as `ending` says.
///
/// Invariant: an exchange lives from `receive` to the `advance` that has an `ending`, or to `abandon`. What one
/// exchange changes in another (DELETE ends the GET stream; a client's answer lets a call go on) is in `awakened`.
///
/// Three kinds of wrong: advancing an unknown exchange is ignored (its timer was late); a request that is no MCP gets
/// a 4xx; a question that is not in the recording gets a stand-in or an error, and is counted.
public struct ScriptedServer: Sendable {
  /// What to write now, and when to ask again.
  public struct Advance: Sendable {
    /// What becomes of the connection.
    public enum Ending: Hashable, Sendable {
      /// The answer is complete.
      case keepAlive
      /// The connection is to be closed.
      case hangUp
    }

    /// Bytes to write, may be empty.
    public var bytes = ByteBuffer()
    /// Not `nil` when the exchange is over.
    public var ending: Ending?
    /// When to call `advance` again; `nil` when only another request can change anything.
    public var next: Timestamp?
  }

  /// A request was taken.
  public struct Reception: Sendable {
    /// The new exchange; call `advance` for it at once.
    public var exchange: ExchangeID
    /// Other exchanges that now have something to write.
    public var awakened: [ExchangeID] = []
  }

  struct LiveExchange: Sendable {
    var script: ReplyScript
    var session: String?
    var call: RawJSON?
  }

  /// Sessions that are kept; beyond it the idle ones go, then new ones get 503 (SDK servers stop at 10,000).
  static let sessionLimit = 100_000
  static let sessionIdle: Int64 = 1_800_000_000_000

  /// What has been seen and done.
  public internal(set) var counts = ServerCounts()
  /// Sessions that are open.
  public var openSessions: Int { sessions.count }

  let book: ExchangeBook
  let atOnce: Bool
  var random: SplitMix64
  var sessions: [String: LiveSession] = [:]
  var exchanges: [ExchangeID: LiveExchange] = [:]
  /// How often each page was opened, for turns between recorded sessions.
  var turns: [Int: Int] = [:]
  var initializations = 0
  private var lastExchange = 0

  /// Creates a server that knows `book`. With `atOnce` answers take no time; messages of GET streams keep theirs.
  /// Session ids follow from `seed`.
  public init(book: ExchangeBook, atOnce: Bool, seed: UInt64) {
    self.book = book
    self.atOnce = atOnce
    random = SplitMix64(seed: seed)
  }

  /// Takes a whole request, whose last byte came at `now`.
  public mutating func receive(
    _ head: HTTPRequestHead, body: ByteBuffer, at now: Timestamp
  ) -> Reception {
    counts.requests += 1
    lastExchange += 1
    var reception = Reception(exchange: ExchangeID(number: lastExchange))
    let exchange = route(head, body, now, &reception)
    exchanges[reception.exchange] = exchange
    return reception
  }

  /// Returns what the exchange has to write at `now`.
  public mutating func advance(_ id: ExchangeID, to now: Timestamp) -> Advance {
    guard let advance = exchanges[id]?.script.advance(to: now) else { return Advance() }
    if advance.ending != nil { abandon(id) }
    return advance
  }

  /// Forgets an exchange: it is over, or its client is gone.
  public mutating func abandon(_ id: ExchangeID) {
    guard let exchange = exchanges.removeValue(forKey: id), let name = exchange.session,
      var session = sessions[name]
    else { return }
    if session.stream == id { session.stream = nil }
    if let call = exchange.call, session.calls[call] == id { session.calls[call] = nil }
    if !session.asked.isEmpty { session.asked = session.asked.filter { $0.value != id } }
    sessions[name] = session
  }

  private mutating func route(
    _ head: HTTPRequestHead, _ body: ByteBuffer, _ now: Timestamp, _ reception: inout Reception
  ) -> LiveExchange {
    guard book.serves(head.target) else { return refuse(404, "No MCP endpoint here", now) }
    switch head.method {
    case "POST": return post(head, body, now, &reception)
    case "GET": return openStream(head, now, reception.exchange)
    case "DELETE": return delete(head, now, &reception)
    default: return refuse(405, nil, now, allow: book.allowedMethods)
    }
  }

  /// An answer that is due at once, without a session.
  func immediate(_ bytes: ByteBuffer, _ now: Timestamp) -> LiveExchange {
    LiveExchange(
      script: ReplyScript(
        from: now, [.init(at: 0, action: .bytes(bytes)), .init(at: 0, action: .end)]))
  }

  /// A 4xx or 5xx, with a JSON-RPC error as SDK servers send it.
  mutating func refuse(
    _ status: Int, _ message: String?, _ now: Timestamp, code: Int64 = -32600, allow: String? = nil,
    id: RawJSON = RawJSON(.null)
  ) -> LiveExchange {
    counts.refused += 1
    var body = ByteBuffer()
    if let message { LiveMessage.error(id: id, OwnAnswers.error(code, message)).write(to: &body) }
    return immediate(
      HTTPAnswer.whole(
        status, type: message == nil ? nil : "application/json", allow: allow, body: body), now)
  }
}

extension ExchangeBook {
  /// Returns whether a request target is a recorded endpoint (any is, when none was recorded).
  func serves(_ target: String) -> Bool {
    func bare(_ path: some StringProtocol) -> String {
      let path = path.prefix { $0 != "?" }
      return String(path.last == "/" ? path.dropLast() : path)
    }
    return paths.isEmpty || paths.contains { bare($0) == bare(target) }
  }

  var allowedMethods: String { isModern && !isStateful ? "POST" : "GET, POST, DELETE" }
}

extension SplitMix64 {
  /// 32 hexadecimal digits, as Python's SDK mints them; they must differ, not be secret.
  mutating func sessionID() -> String {
    func hex(_ value: UInt64) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return hex(next()) + hex(next())
  }
}
