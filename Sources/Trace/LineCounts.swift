/// How many lines of each type there are.
struct LineCounts {
  private var known = [Int](repeating: 0, count: TraceEvent.knownTypes.count)
  private var unknown: [String: Int] = [:]

  /// The counts that are not zero.
  var byType: [String: Int] {
    var counts = unknown
    for (type, count) in zip(TraceEvent.knownTypes, known) where count > 0 {
      counts[type, default: 0] += count
    }
    return counts
  }

  mutating func add(_ event: TraceEvent) {
    if let index = event.typeIndex {
      known[index] += 1
    } else {
      unknown[event.type, default: 0] += 1
    }
  }

  mutating func subtract(_ other: LineCounts) {
    for i in known.indices { known[i] -= other.known[i] }
    unknown.merge(other.unknown) { $0 - $1 }
    unknown = unknown.filter { $0.value > 0 }
  }
}
