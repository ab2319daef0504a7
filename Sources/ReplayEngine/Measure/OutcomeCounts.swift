import Trace

/// How many calls ended how.
struct OutcomeCounts {
  private var counts = InlineArray<9, Int>(repeating: 0)

  subscript(_ outcome: Outcome) -> Int {
    get { counts[OutcomeCounts.place(outcome)] }
    set { counts[OutcomeCounts.place(outcome)] = newValue }
  }

  var total: Int { Outcome.allCases.reduce(0) { $0 + self[$1] } }

  /// Those that occurred.
  var dictionary: [Outcome: Int] {
    var result: [Outcome: Int] = [:]
    for outcome in Outcome.allCases where self[outcome] > 0 { result[outcome] = self[outcome] }
    return result
  }

  mutating func add(_ other: OutcomeCounts) {
    for i in counts.indices { counts[i] += other.counts[i] }
  }

  private static func place(_ outcome: Outcome) -> Int {
    switch outcome {
    case .transportError: 0
    case .timeout: 1
    case .cancelled: 2
    case .sessionLost: 3
    case .jsonrpcError: 4
    case .httpError: 5
    case .toolError: 6
    case .ok: 7
    case .unanswered: 8
    }
  }
}
