import Basics
import Trace

/// Lines on their way into sessions.
struct TraceGathering {
  private struct Session {
    var line: SessionLine?
    var end: EndLine?
    var messages = SessionMessages()
  }

  private let detail: TraceContents.Detail
  private var contents: TraceContents
  private var sessions: [String: Session] = [:]
  /// Whether the last file had a footer.
  private var isClosed = false

  init(detail: TraceContents.Detail) {
    self.detail = detail
    contents = TraceContents()
  }

  var hasHeader: Bool { !contents.headers.isEmpty }

  mutating func add(_ event: TraceEvent) {
    let event = detail == .outline ? event.outlined : event
    switch event {
    case .header(let line):
      contents.headers.append(line)
      isClosed = false
    case .connection(let line): contents.connections[line.conn] = line
    case .session(let line):
      let known = sessions[line.session]?.line
      sessions[line.session, default: Session()].line = known?.updated(by: line) ?? line
    case .request(let line): update(line.session) { $0.requests.append(line) }
    case .response(let line): update(line.session) { $0.responses.append(line) }
    case .notification(let line): update(line.session) { $0.notifications.append(line) }
    case .http(let line): update(line.session) { $0.http.append(line) }
    case .sse(let line): contents.streamMarks.append(line)
    case .exchange(let line): contents.exchanges.append(line)
    case .loss(let line): contents.losses.append(line)
    case .end(let line): sessions[line.session, default: Session()].end = line
    case .footer(let line):
      // Each segment has its own.
      if contents.footer?.add(line) == nil { contents.footer = line }
      isClosed = true
    case .unknown: contents.unknownLines += 1
    }
  }

  private mutating func update(_ session: String?, _ change: (inout SessionMessages) -> Void) {
    if let session {
      change(&sessions[session, default: Session()].messages)
    } else {
      change(&contents.outside)
    }
  }

  consuming func contents(lines: Int, tornTail: Int) -> TraceContents {
    var result = contents
    if !isClosed { result.footer = nil }
    result.lines = tornTail > 0 ? lines - 1 : lines
    result.tornTail = tornTail
    result.outside.arrange()
    result.streamMarks.sort { $0.t < $1.t }
    result.exchanges.sort { ($0.t, $0.x) < ($1.t, $1.x) }
    result.losses.sort { $0.t < $1.t }
    result.sessions = sessions.map { name, session in
      RecordedSession(name: name, line: session.line, end: session.end, messages: session.messages)
    }
    result.sessions.sort {
      ($0.start, $0.name.utf8.count, $0.name) < ($1.start, $1.name.utf8.count, $1.name)
    }
    return result
  }
}

extension TraceEvent {
  /// The event without payloads, header fields and unknown keys; slices of the file's chunks are copied.
  var outlined: TraceEvent {
    switch self {
    case .request(var line):
      line.params = nil
      line.headers = nil
      line.extra = []
      line.id = RawJSON(line.id.value)
      return .request(line)
    case .response(var line):
      line.result = nil
      line.error = nil
      line.body = nil
      line.raw = nil
      line.headers = nil
      line.extra = []
      return .response(line)
    case .notification(var line):
      line.params = nil
      line.headers = nil
      line.extra = []
      return .notification(line)
    case .http(var line):
      line.headers = nil
      line.extra = []
      return .http(line)
    default: return self
    }
  }
}
