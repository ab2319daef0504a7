import Analysis
import Basics
import Trace

/// What a timeline shows as one block, at one instant.
struct TimelineEntry {
  enum Content {
    /// What the agent asked in one turn, in order of time; several are parallel.
    case turn(number: Int, [RequestLine])
    /// A request that is no part of a turn: the client library's, or the server's.
    case request(RequestLine)
    /// Notifications of one kind in a row.
    case notifications(NotificationLine, count: Int)
    /// An exchange without JSON-RPC, with its end when it is a stream that ended.
    case http(HTTPLine, closed: HTTPLine?)
  }

  var t: Int64
  var n: Int
  var content: Content

  /// Returns what `messages` hold, in order of time, each turn at the time of its first request.
  static func entries(of messages: SessionMessages) -> [TimelineEntry] {
    var turns: [Int: [RequestLine]] = [:]
    var entries: [TimelineEntry] = []
    for request in messages.requests {
      if request.dir == .c2s, request.origin == .agent, let turn = request.turn {
        turns[turn, default: []].append(request)
      } else {
        entries.append(TimelineEntry(t: request.t, n: request.n, content: .request(request)))
      }
    }
    for (turn, requests) in turns {
      guard let first = requests.first else { continue }
      entries.append(
        TimelineEntry(t: first.t, n: first.n, content: .turn(number: turn, requests)))
    }
    for line in messages.notifications {
      entries.append(
        TimelineEntry(t: line.t, n: line.n, content: .notifications(line, count: 1)))
    }
    let closings = Dictionary(
      messages.http.filter { $0.role == .streamClose }.map { ($0.x, $0) },
      uniquingKeysWith: { first, _ in first })
    let opened = Set(messages.http.filter { $0.role == .streamOpen }.map(\.x))
    for line in messages.http where line.role != .streamClose || !opened.contains(line.x) {
      let closed = line.role == .streamOpen ? closings[line.x] : nil
      entries.append(
        TimelineEntry(t: line.t, n: line.n ?? 0, content: .http(line, closed: closed)))
    }
    entries.sort { ($0.t, $0.n) < ($1.t, $1.n) }
    return collapsed(entries)
  }

  /// Joins notifications of one method and direction that follow each other.
  private static func collapsed(_ entries: [TimelineEntry]) -> [TimelineEntry] {
    var out: [TimelineEntry] = []
    for entry in entries {
      if case .notifications(let line, _) = entry.content,
        let last = out.indices.last, case .notifications(let before, let count) = out[last].content,
        before.method == line.method, before.dir == line.dir
      {
        out[last].content = .notifications(before, count: count + 1)
      } else {
        out.append(entry)
      }
    }
    return out
  }
}
