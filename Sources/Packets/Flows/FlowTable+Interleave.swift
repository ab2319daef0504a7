import Basics
import NIOCore

extension FlowTable {
  /// Puts what both directions said at once, when a wait was over, in the order of time.
  ///
  /// What a direction held, and what the other held for its sake, comes out together, one direction behind the other. Who
  /// reads both needs to know what came before what: an answer belongs to a request that was sent before it.
  mutating func interleave(from start: Int) {
    var start = start
    var client: [FlowEvent] = []
    var server: [FlowEvent] = []
    for index in start..<events.count {
      let event = events[events.index(events.startIndex, offsetBy: index)]
      switch event.place {
      case (.c2s, _)?: client.append(event)
      case (.s2c, _)?: server.append(event)
      // Nothing was said before a connection was opened.
      case nil: start = index + 1
      }
    }
    guard !client.isEmpty, !server.isEmpty else { return }
    events.removeLast(events.count - start)
    var (i, j) = (0, 0)
    var (toldByClient, toldByServer) = (Int64.min, Int64.min)
    while i < client.count, j < server.count {
      let a = client[i].order(after: toldByClient)
      let b = server[j].order(after: toldByServer)
      if a < b || (a == b && (!client[i].isEnd || server[j].isEnd)) {
        events.append(client[i])
        (i, toldByClient) = (i + 1, a)
      } else {
        events.append(server[j])
        (j, toldByServer) = (j + 1, b)
      }
    }
    for event in client[i...] { events.append(event) }
    for event in server[j...] { events.append(event) }
  }

  /// The latest time of what a direction has said; that of a hole is when it was given up.
  func latest(of direction: Direction, from start: Int) -> Timestamp? {
    (start..<events.count).compactMap { index in
      let event = events[events.index(events.startIndex, offsetBy: index)]
      if case .gap = event { return nil }
      return event.place?.direction == direction ? event.place?.at : nil
    }.max()
  }
}

extension FlowEvent {
  fileprivate var isEnd: Bool { if case .ended = self { true } else { false } }

  /// When it took place, behind what its direction said before at `last`: a hole right then, its end is told later.
  fileprivate func order(after last: Int64) -> Int64 {
    if case .gap = self { return last }
    return max(last, place?.at.nanoseconds ?? last)
  }

  /// Direction and time of what a direction says.
  fileprivate var place: (direction: Direction, at: Timestamp)? {
    switch self {
    case .opened: nil
    case .bytes(_, let direction, _, let at), .gap(_, let direction, _, let at),
      .ended(_, let direction, _, let at):
      (direction, at)
    }
  }
}
