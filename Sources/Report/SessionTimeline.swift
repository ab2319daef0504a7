public import Analysis
import Basics
import Trace

/// A session as people read it: its turns with the agent's thinking before them, parallel requests bracketed, each
/// with its outcome and service time; between them, marked, what the libraries and the server did on their own.
///
/// Marks: `┌│└` parallel requests of one turn, `·` made by the client library, `←` from the server, `→` a notification
/// of the client, `~` an HTTP exchange without JSON-RPC. Times count from the session's first message.
public struct SessionTimeline {
  private let messages: SessionMessages
  private let start: Int64
  private var lines: [String] = []

  private init(_ messages: SessionMessages, start: Int64) {
    self.messages = messages
    self.start = start
  }

  /// Returns the timeline of a session with at most `limit` entries (turns, notifications, exchanges).
  public static func text(_ session: RecordedSession, limit: Int) -> String {
    var timeline = SessionTimeline(session.messages, start: session.start)
    timeline.addHeading(session)
    timeline.addEntries(limit: limit)
    let ending = session.end.map { "end: \($0.how.rawValue)" } ?? "end: not recorded"
    timeline.add(time: session.finish, n: nil, mark: " ", name: ending)
    return timeline.lines.joined()
  }

  /// Returns the timeline of what belongs to no session; empty when there is nothing.
  public static func text(outside messages: SessionMessages, limit: Int) -> String {
    let entries = TimelineEntry.entries(of: messages)
    guard let first = entries.first else { return "" }
    var timeline = SessionTimeline(messages, start: first.t)
    timeline.lines.append("without a session\n")
    timeline.addEntries(limit: limit)
    return timeline.lines.joined()
  }

  private mutating func addHeading(_ session: RecordedSession) {
    var title = [session.name]
    if let line = session.line {
      title.append(line.transport.rawValue)
      if line.authority != nil || line.path != nil {
        title.append((line.authority ?? "") + (line.path ?? ""))
      }
      if let revision = line.revision { title.append(revision) }
      let peers = [line.client, line.server].compactMap { $0.map(SessionTable.name) }
      if !peers.isEmpty { title.append(peers.joined(separator: " → ")) }
      if let agent = line.agent { title.append("agent \(agent)") }
    }
    lines.append(Format.fitted(Format.printable(title.joined(separator: "  ")), 100) + "\n")
    guard let key = session.key else { return }
    let value = key.value.map { " " + Format.shortened($0) } ?? ""
    let evidence =
      key.by.isExplicit
      ? "known by \(key.by.rawValue)\(value)"
      : "inferred from \(key.by.rawValue)\(value), confidence "
        + Format.decimal(key.confidence, digits: 2) + " ("
        + key.evidence.joined(separator: ", ") + ")"
    let cut = session.line?.start == .cut ? "; began before the recording" : ""
    lines.append("    " + Format.fitted(Format.printable(evidence + cut), 96) + "\n")
  }

  private mutating func addEntries(limit: Int) {
    let entries = TimelineEntry.entries(of: messages)
    for entry in entries.prefix(limit) {
      switch entry.content {
      case .turn(let number, let requests): addTurn(number, requests)
      case .request(let request): addRequest(request, mark: request.dir == .c2s ? "·" : "←")
      case .notifications(let line, let count): addNotifications(line, count)
      case .http(let line, let closed): addHTTP(line, closed)
      }
    }
    if entries.count > limit {
      lines.append("    … \(entries.count - limit) more (--limit)\n")
    }
  }

  private mutating func addTurn(_ number: Int, _ requests: [RequestLine]) {
    var heading = "  turn \(number)"
    if let first = requests.first {
      if let think = first.think {
        heading += " after \(Format.duration(nanoseconds: think)) of thought"
      }
      if let after = first.after, !after.isEmpty {
        heading += " · waits for " + after.map { "n\($0)" }.joined(separator: ", ")
        if let reason = first.afterBy { heading += " (\(SessionTimeline.words(reason)))" }
      }
    }
    lines.append(Format.fitted(heading, 100) + "\n")
    for (i, request) in requests.enumerated() {
      let mark =
        requests.count == 1 ? " " : i == 0 ? "┌" : i == requests.count - 1 ? "└" : "│"
      addRequest(request, mark: mark)
    }
  }

  private static func words(_ reason: AfterReason) -> String {
    switch reason {
    case .uses: "uses a value of it"
    case .protocol: "demanded by the protocol"
    case .order: "inferred from the order alone"
    }
  }

  private mutating func addRequest(_ request: RequestLine, mark: String) {
    let answer = messages.answer(to: request.n)
    var notes: [String] = []
    if request.dir == .s2c { notes.append("asked by the server") }
    if request.origin == .sdk { notes.append("sdk") }
    if let n = request.retryOf { notes.append("repeats n\(n)") }
    if let n = request.continues { notes.append("continues n\(n)") }
    if let n = request.pollOf { notes.append("polls n\(n)") }
    if let code = answer?.code { notes.append("code \(code)") }
    if let status = answer?.status, status != 200, request.dir == .c2s {
      notes.append("HTTP \(status)")
    }
    if request.dir == .c2s, answer?.by == .client { notes.append("by the client") }
    let served = answer.map { max(0, ($0.done ?? $0.t) &- (request.sent ?? request.t)) }
    add(
      time: request.t, n: request.n, mark: mark, name: request.tool ?? request.method,
      outcome: answer?.outcome.rawValue ?? "no answer",
      duration: served.map { Format.duration(nanoseconds: $0) } ?? "",
      notes: notes.joined(separator: ", "))
    for use in request.uses?.array ?? [] {
      let at = use["at"]?.string ?? "?"
      let from = use["from"]?.int.map { "n\($0)" } ?? "?"
      let text = "\(at) ← \(from) \(use["path"]?.string ?? "")"
      let inset = String(repeating: " ", count: 23)
      lines.append(inset + Format.fitted(Format.printable(text), 77) + "\n")
    }
  }

  private mutating func addNotifications(_ line: NotificationLine, _ count: Int) {
    add(
      time: line.t, n: line.n, mark: line.dir == .c2s ? "→" : "←",
      name: count == 1 ? line.method : "\(line.method) × \(count)",
      notes: line.re.map { "of n\($0)" } ?? "")
  }

  private mutating func addHTTP(_ line: HTTPLine, _ closed: HTTPLine?) {
    let stream = line.role == .streamOpen || line.role == .streamClose
    var notes: [String] = []
    if let id = line.lastEventID { notes.append("resumes after \(Format.shortened(id))") }
    if let how = closed?.how ?? line.how { notes.append(how) }
    let end = stream ? (closed?.done ?? closed?.t) : line.done
    add(
      time: line.t, n: line.n, mark: "~",
      name: stream ? "\(line.method) stream" : "\(line.method) \(line.target)",
      outcome: line.status.map { "HTTP \($0)" } ?? "",
      duration: end.map { Format.duration(nanoseconds: max(0, $0 &- line.t)) } ?? "",
      notes: notes.joined(separator: ", "))
  }

  private mutating func add(
    time: Int64, n: Int?, mark: String, name: String, outcome: String = "",
    duration: String = "", notes: String = ""
  ) {
    func left(_ text: String, _ width: Int) -> String {
      let text = Format.fitted(Format.printable(text), width)
      return text + String(repeating: " ", count: width - text.count)
    }
    func right(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    var line = right(Format.offset(nanoseconds: time &- start), 13)
    line += right(n.map { "n\($0)" } ?? "", 7) + " " + mark + " " + left(name, 34) + " "
    line += left(outcome, 15) + " " + right(duration, 9) + "  "
    line += Format.printable(notes)
    while line.hasSuffix(" ") { line.removeLast() }
    lines.append(line + "\n")
  }
}
