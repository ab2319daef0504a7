import Basics
import NIOCore

/// Timers for directions whose wait may be over although their flow is silent.
///
/// One queue for each length of wait, so that each is in order of its deadlines as it is.
struct FlowTimers {
  /// A direction to look at again.
  struct Watch {
    var slot: Int
    var side: Side
    var id: FlowID
    var deadline: Timestamp
  }

  private var short = CircularBuffer<Watch>()
  private var middle = CircularBuffer<Watch>()
  private var long = CircularBuffer<Watch>()

  var count: Int { short.count + middle.count + long.count }

  /// The earliest deadline.
  var deadline: Timestamp? {
    [short.first, middle.first, long.first].compactMap { $0?.deadline }.min()
  }

  /// Adds a watch and returns its deadline.
  mutating func add(
    _ slot: Int, _ side: Side, _ id: FlowID, _ cause: Waiting.Cause, now: Timestamp
  ) -> Timestamp {
    let patience =
      switch cause {
      case .acknowledged, .start: Patience.acknowledgedHole
      case .reset: Patience.reset
      case .oneSided: Patience.oneSidedHole
      }
    let watch = Watch(slot: slot, side: side, id: id, deadline: now + patience)
    switch cause {
    case .acknowledged, .start: short.append(watch)
    case .reset: middle.append(watch)
    case .oneSided: long.append(watch)
    }
    return watch.deadline
  }

  /// Removes all that are due by now.
  mutating func due(_ now: Timestamp) -> [Watch] {
    FlowTimers.due(&short, now) + FlowTimers.due(&middle, now) + FlowTimers.due(&long, now)
  }

  private static func due(_ queue: inout CircularBuffer<Watch>, _ now: Timestamp) -> [Watch] {
    var due: [Watch] = []
    while let first = queue.first, first.deadline <= now { due.append(queue.removeFirst()) }
    return due
  }

  /// Keeps only what is still wanted.
  mutating func keep(_ isWanted: (Watch) -> Bool) {
    short = CircularBuffer(short.filter(isWanted))
    middle = CircularBuffer(middle.filter(isWanted))
    long = CircularBuffer(long.filter(isWanted))
  }
}
