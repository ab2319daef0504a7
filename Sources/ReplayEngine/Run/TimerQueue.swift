import HeapModule
import NIOCore

/// The deadlines of one loop's agents, with one NIO timer armed for the earliest.
///
/// An agent has one valid entry: its `armedAt`. Entries that an earlier deadline overtook stay in the heap and are passed over.
final class TimerQueue {
  private struct Entry: Comparable {
    var at: Int64
    var agent: Agent

    static func < (a: Entry, b: Entry) -> Bool { a.at < b.at }
    static func == (a: Entry, b: Entry) -> Bool { a.at == b.at && a.agent === b.agent }
  }

  private var heap = Heap<Entry>()

  /// The earliest deadline, possibly one that is no longer valid.
  var next: Int64? { heap.min?.at }

  /// Makes `at` the agent's deadline.
  func arm(_ agent: Agent, _ at: Int64) {
    guard agent.armedAt.map({ at < $0 }) ?? true else { return }
    agent.armedAt = at
    heap.insert(Entry(at: at, agent: agent))
  }

  /// Takes the next agent whose deadline has come.
  func pop(_ now: Int64) -> Agent? {
    while let first = heap.min, first.at <= now {
      let entry = heap.removeMin()
      if entry.agent.armedAt == entry.at {
        entry.agent.armedAt = nil
        return entry.agent
      }
    }
    return nil
  }
}
