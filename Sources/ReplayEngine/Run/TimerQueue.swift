/// The deadlines of one loop's agents: a binary heap in which every agent has one place at most, and knows it.
///
/// An agent's deadline only moves forward in time while it waits here: a later one is asked for when the earlier has come. Most
/// deadlines are time-outs that never come, so that a call costs no work here at all.
final class TimerQueue {
  private struct Entry {
    var at: Int64
    var agent: Agent
  }

  private var entries: [Entry] = []

  /// The earliest deadline.
  var next: Int64? { entries.first?.at }

  /// Wakes the agent at `at`, unless it is woken before that.
  func arm(_ agent: Agent, _ at: Int64) {
    let place = agent.timerPlace
    if place < 0 {
      entries.append(Entry(at: at, agent: agent))
      rise(from: entries.count - 1)
    } else if at < entries[place].at {
      entries[place].at = at
      rise(from: place)
    }
  }

  /// Takes the agent out.
  func disarm(_ agent: Agent) {
    let place = agent.timerPlace
    guard place >= 0 else { return }
    agent.timerPlace = -1
    let last = entries.removeLast()
    guard place < entries.count else { return }
    entries[place] = last
    last.agent.timerPlace = place
    rise(from: place)
    sink(from: last.agent.timerPlace)
  }

  /// Takes the next agent whose deadline has come.
  func pop(_ now: Int64) -> Agent? {
    guard let first = entries.first, first.at <= now else { return nil }
    disarm(first.agent)
    return first.agent
  }

  private func rise(from start: Int) {
    var place = start
    let entry = entries[place]
    while place > 0 {
      let parent = (place - 1) / 2
      guard entry.at < entries[parent].at else { break }
      put(entries[parent], at: place)
      place = parent
    }
    put(entry, at: place)
  }

  private func sink(from start: Int) {
    var place = start
    let entry = entries[place]
    while true {
      var child = place * 2 + 1
      guard child < entries.count else { break }
      if child + 1 < entries.count, entries[child + 1].at < entries[child].at { child += 1 }
      guard entries[child].at < entry.at else { break }
      put(entries[child], at: place)
      place = child
    }
    put(entry, at: place)
  }

  private func put(_ entry: Entry, at place: Int) {
    entries[place] = entry
    entry.agent.timerPlace = place
  }
}
