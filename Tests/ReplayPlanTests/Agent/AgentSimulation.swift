import Basics
import NIOCore
import ReplayPlan
import Trace
import Wire

/// Plays an agent against a scripted server under a clock of its own: nothing waits, every time is exact.
struct AgentSimulation {
  /// How the simulated server answers one request.
  struct Reply {
    /// Nanoseconds from sending to the last byte; `nil` never answers.
    var after: Int64? = 0
    var status = 200
    var fields: HeaderFields = []
    /// The JSON-RPC message without its id; empty sends none.
    var content = #""result":{}"#
    /// Sent before, on the same stream: whole JSON-RPC messages.
    var before: [String] = []
    /// Replaces the request's id.
    var id: String?
    /// The connection fails instead of ending.
    var fails = false
    var eventID: String?
    /// Milliseconds.
    var retry: Int?
    /// The address of an HTTP+SSE server, 10 ns after the request for the stream.
    var endpoint: String?
    /// The message comes on the stream of step 0, so long after the request.
    var onStreamAfter: Int64?
  }

  struct Sent: Equatable {
    var step: Int
    var at: Int64
  }

  /// A request as the server sees it.
  struct Request {
    var head: String
    var body: JSONValue
    var purpose: Transmission.Purpose
    var at: Int64

    func header(_ name: String) -> String? {
      let lines = head.split(separator: "\r\n")
      for line in lines where line.lowercased().hasPrefix(name + ": ") {
        return String(line.dropFirst(name.utf8.count + 2))
      }
      return nil
    }
  }

  private(set) var requests: [Request] = []
  private(set) var records: [RequestRecord] = []
  private(set) var omitted: [Int: SkipReason?] = [:]
  private(set) var unresolved: [UnresolvedValue] = []
  private(set) var untold: [Int] = []
  private(set) var repeated: [Int64] = []
  private(set) var settled: [RequestRecord] = []
  private(set) var renewals = 0
  /// What requests are authorised with, and what comes of asking for more, so long after that.
  var credential: Credential?
  var renew: (() -> (after: Int64, token: BearerToken))?
  private var renewed: [(at: Int64, step: Int)] = []
  /// Its row of the feed, and the number of the run.
  var row: [RawJSON?] = []
  var runNumber: UInt64 = 0
  private(set) var abandoned: [Int] = []
  private(set) var end: AgentEnd?
  private(set) var now: Int64 = 0

  private var machine: AgentMachine
  private var answers: [(at: Int64, order: Int, exchange: Int, events: [AnswerDecoder.Event]?)] = []
  private let serve: (Request, Int) -> Reply
  /// When it begins to work.
  private let entry: Int64
  /// The exchange of step 0.
  private var stream = 0
  private var counts: [Transmission.Purpose: Int] = [:]

  /// `serve` gets each request with the number of times its purpose was sent before.
  init(
    _ session: SessionScript, options: PlanOptions = PlanOptions(),
    policy: AgentPolicy = AgentPolicy(), start: Int64 = 0, entry: Int64 = 0, seed: UInt64 = 0,
    target: ReplayTarget = AgentSimulation.target, serve: @escaping (Request, Int) -> Reply
  ) {
    self.serve = serve
    let script = AgentScript(session, options)
    machine = AgentMachine(script, RequestBook(script, target), policy, start: start, seed: seed)
    now = entry
    self.entry = entry
  }

  static let target = ReplayTarget(host: "127.0.0.1", port: 80, authority: "t:80", path: nil)

  /// What a server answers with that has sessions.
  static let session: HeaderFields = [HeaderField("mcp-session-id", "live")]

  /// When each step was sent.
  var sent: [Sent] {
    requests.compactMap { request in
      guard case .step(let i) = request.purpose else { return nil }
      return Sent(step: i, at: request.at)
    }
  }

  /// Runs until the agent has finished or nothing more can happen; `stop` tells it to stop at a time.
  mutating func run(stop: (at: Int64, how: AgentStop)? = nil) {
    var stop = stop
    machine.use(credential)
    machine.use(row: row, run: runNumber)
    perform(machine.begin(at: entry))
    while end == nil {
      let events = [
        machine.nextDeadline, answers.map(\.at).min(), stop?.at, renewed.map(\.at).min(),
      ]
      let next = events.compactMap { $0 }.min()
      guard let next else { return }
      now = max(now, next)
      if let order = stop, order.at <= now {
        stop = nil
        perform(machine.stop(order.how, now))
      } else if let index = renewed.firstIndex(where: { $0.at <= now }) {
        machine.use(credential)
        perform(machine.reauthorized(renewed.remove(at: index).step, now))
      } else if let index = nextAnswer() {
        deliver(answers.remove(at: index))
      } else {
        perform(machine.timer(now))
      }
    }
  }

  private func nextAnswer() -> Int? {
    answers.indices.filter { answers[$0].at <= now }
      .min { (answers[$0].at, answers[$0].order) < (answers[$1].at, answers[$1].order) }
  }

  private mutating func deliver(
    _ answer: (at: Int64, order: Int, exchange: Int, events: [AnswerDecoder.Event]?)
  ) {
    guard let events = answer.events else { return perform(machine.failed(answer.exchange, now)) }
    for event in events { perform(machine.received(answer.exchange, event, now)) }
  }

  private mutating func perform(_ actions: [AgentAction]) {
    for action in actions {
      switch action {
      case .send(let transmission): take(transmission)
      case .abandon(let exchange):
        abandoned.append(exchange)
        answers.removeAll { $0.exchange == exchange }
      case .record(let record): records.append(record)
      case .taskOver(let record): records.append(record)
      case .repeated(let record, _): repeated.append(record.done)
      case .settled(let record): settled.append(record)
      case .needsCredential(let step, let stale):
        if let (after, token) = renew?(), let credential, credential.version == stale {
          renewals += 1
          self.credential = Credential(token, after: credential)
          renewed.append((now + after, step))
        }
      case .unresolved(let missing): unresolved.append(missing)
      case .untold(let step): untold.append(step)
      case .omitted(let step, let reason): omitted[step] = .some(reason)
      case .finished(let how): end = how
      }
    }
  }

  private mutating func take(_ transmission: Transmission) {
    let bytes = transmission.bytes
    let split = bytes.writerIndex - transmission.bodyLength
    let head = bytes.getString(at: bytes.readerIndex, length: split - bytes.readerIndex) ?? ""
    let body = bytes.getSlice(at: split, length: transmission.bodyLength) ?? ByteBuffer()
    let request = Request(
      head: head, body: JSONValue(parsing: body) ?? .null, purpose: transmission.purpose, at: now)
    requests.append(request)
    machine.sent(transmission.exchange, at: now)
    let count = counts[transmission.purpose, default: 0]
    counts[transmission.purpose] = count + 1
    let reply = serve(request, count)
    if transmission.purpose == .step(0) || reply.endpoint != nil { stream = transmission.exchange }
    if let endpoint = reply.endpoint {
      answers.append(
        (
          now + 10, requests.count, transmission.exchange,
          [.head(status: 200, fields: [], at: now + 10), .endpoint(endpoint, at: now + 10)]
        ))
    }
    if let after = reply.onStreamAfter {
      let message = messages(reply, transmission).map {
        AnswerDecoder.Event.message($0, isEvent: true, firstByteAt: now + after, at: now + after)
      }
      answers.append((now + after, requests.count, stream, message))
    }
    guard let after = reply.after else { return }
    answers.append(
      (now + after, requests.count, transmission.exchange, events(reply, transmission, now + after))
    )
  }

  private func events(
    _ reply: Reply, _ transmission: Transmission, _ at: Int64
  ) -> [AnswerDecoder.Event]? {
    var events: [AnswerDecoder.Event] = []
    if reply.status > 0 { events.append(.head(status: reply.status, fields: reply.fields, at: at)) }
    if reply.eventID != nil || reply.retry != nil {
      events.append(.position(id: reply.eventID, retry: reply.retry))
    }
    if reply.onStreamAfter == nil {
      for message in messages(reply, transmission) {
        events.append(.message(message, isEvent: true, firstByteAt: at, at: at))
      }
    }
    if reply.fails { return events.isEmpty ? nil : events + [.garbage(bytes: 1, at: at)] }
    events.append(.end(isComplete: true, reusable: true, unreadable: false, at: at))
    return events
  }
  private func messages(_ reply: Reply, _ transmission: Transmission) -> [JSONRPCMessage] {
    var texts = reply.before
    if !reply.content.isEmpty, let id = reply.id ?? transmission.id?.text {
      texts.append(#"{"jsonrpc":"2.0","id":\#(id),\#(reply.content)}"#)
    }
    return texts.flatMap { JSONRPCPayload(ByteBuffer(string: $0)).messages }
  }
}
