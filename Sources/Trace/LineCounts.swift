/// How many lines of each type there are.
struct LineCounts {
  private var known = [Int](repeating: 0, count: LineType.allCases.count)
  private var unknown: [String: Int] = [:]

  /// The counts that are not zero.
  var byType: [String: Int] {
    var counts = unknown
    for type in LineType.allCases where known[type.rawValue] > 0 {
      counts[type.name.description, default: 0] += known[type.rawValue]
    }
    return counts
  }

  mutating func add(_ type: LineType) { known[type.rawValue] += 1 }

  mutating func add(_ event: TraceEvent) {
    if let type = event.lineType {
      add(type)
    } else {
      unknown[event.type, default: 0] += 1
    }
  }

  mutating func add(_ other: LineCounts) {
    for i in known.indices { known[i] += other.known[i] }
    unknown.merge(other.unknown) { $0 + $1 }
  }

  mutating func subtract(_ other: LineCounts) {
    for i in known.indices { known[i] -= other.known[i] }
    unknown.merge(other.unknown) { $0 - $1 }
    unknown = unknown.filter { $0.value > 0 }
  }

  mutating func removeAll() {
    for i in known.indices { known[i] = 0 }
    unknown.removeAll()
  }
}
