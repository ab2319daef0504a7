import ReplayPlan
import Trace

/// What requests waited for in this run, and which turns they make.
extension AgentTranscript {
  func wait(_ steps: [Int], _ at: Int64) -> (after: [Int]?, think: Int64?) {
    let after = steps.compactMap { answerN[$0] }.sorted()
    guard !after.isEmpty else { return (nil, nil) }
    return (after, steps.compactMap { answeredAt[$0] }.max().map { at - $0 })
  }

  /// The steps whose answers a step waited for in this run: where one was skipped, those that it would have waited for, but for
  /// what others of them waited for themselves.
  func waited(_ step: ScriptStep) -> [Int] {
    var waited: Set<Int> = []
    var seen: Set<Int> = []
    var wasSkipped = false
    var left = step.after
    while let i = left.popLast() {
      guard seen.insert(i).inserted else { continue }
      if answerN[i] != nil {
        waited.insert(i)
      } else if requestN[i] == nil {
        wasSkipped = true
        left += script.session.steps[i].after
      }
    }
    guard wasSkipped, waited.count > 1 else { return waited.sorted() }
    left = waited.flatMap { waits[$0] ?? [] }
    seen = []
    while let i = left.popLast() {
      guard seen.insert(i).inserted else { continue }
      waited.remove(i)
      left += waits[i] ?? []
    }
    return waited.sorted()
  }

  /// The turn of a request in this run, in which turns that were skipped do not count.
  mutating func turn(of i: Int, after steps: [Int]) -> Int {
    if let known = turns[i] { return known }
    let step = script.session.steps[i]
    if step.origin == .agent {
      let follows = steps.contains { turns[$0] == latestTurn }
      if latestTurn == 0 || follows { latestTurn += 1 }
      turns[i] = latestTurn
    } else {
      turns[i] = min(step.turn, latestTurn)
    }
    return turns[i] ?? 0
  }
}
