import Basics
import Trace

/// What `after` and `think` say of a client's message must agree with the answers they name.
///
/// Theory: `after` holds answers of the server that were there when the message began, none implied by another.
/// Answer a is implied by b when the request of b waited, itself or through others, for a. `think` is the time
/// from the last of them. A search back from b can stop where answers are older than a: what they waited for
/// is older still.
struct WaitRules {
  private let index: MessageIndex
  private let firstN: Int
  /// When each answer was there, and what the request behind it waited for.
  private let done: [Int: Int64]
  private let waits: [Int: [Int]]

  init(_ index: MessageIndex, firstN: Int) {
    self.index = index
    self.firstN = firstN
    done = index.answers.mapValues { $0.done ?? $0.t }
    waits = index.answers.compactMapValues { index.requests[$0.re]?.after }
  }

  func check(_ ledger: SessionLedger, _ findings: inout Findings) {
    for entry in ledger.requests {
      let line = entry.content
      check(line.after, think: line.think, t: line.t, dir: line.dir, line: entry.line, &findings)
      if line.afterBy != nil, (line.after ?? []).isEmpty {
        findings.error(entry.line, "after_by without after")
      }
    }
    for entry in ledger.notifications {
      let line = entry.content
      check(line.after, think: line.think, t: line.t, dir: line.dir, line: entry.line, &findings)
    }
    for entry in ledger.http {
      let line = entry.content
      check(line.after, think: line.think, t: line.t, dir: .c2s, line: entry.line, &findings)
    }
  }

  private func check(
    _ after: [Int]?, think: Int64?, t: Int64, dir: Direction, line: Int,
    _ findings: inout Findings
  ) {
    let after = after ?? []
    if after.isEmpty, think != nil { findings.error(line, "think without after") }
    if Set(after).count < after.count { findings.error(line, "after names an answer twice") }
    var isKnown = true
    var latest: Int64?
    for n in after {
      guard let answer = index.answers[n] else {
        isKnown = false
        if n >= firstN { findings.error(line, "after: \(n) names no answer of the session") }
        continue
      }
      let done = answer.done ?? answer.t
      latest = max(latest ?? done, done)
      if answer.dir == dir { findings.error(line, "after: \(n) is not an answer to this side") }
      if done > t { findings.error(line, "after: the answer n \(n) was complete only later") }
    }
    if isKnown, let think, let latest, think != t &- latest {
      findings.error(
        line, "think is \(think), but t minus the latest done of after is \(t &- latest)")
    }
    checkImplied(after, line: line, &findings)
  }

  /// Most answers that are looked at for one line. With hundreds of calls in flight at once a whole walk for each line would take
  /// the square of the session; chains of real agents end far below.
  private static let lookLimit = 2048

  private func checkImplied(_ after: [Int], line: Int, _ findings: inout Findings) {
    guard after.count > 1, let oldest = after.compactMap({ done[$0] }).min() else { return }
    let wanted = Set(after)
    var seen: Set<Int> = []
    var looks = 0
    for n in after {
      var open = waits[n] ?? []
      while looks < WaitRules.lookLimit, let earlier = open.popLast() {
        looks += 1
        if wanted.contains(earlier) {
          findings.error(line, "after: \(earlier) is implied by \(n)")
          return
        }
        guard let at = done[earlier], at >= oldest, seen.insert(earlier).inserted
        else { continue }
        open += waits[earlier] ?? []
      }
    }
  }
}
