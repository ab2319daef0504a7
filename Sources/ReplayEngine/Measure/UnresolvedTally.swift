import MCP
import ReplayPlan

/// Calls that needed a value which no answer of the run gave.
struct UnresolvedTally {
  /// The share of planned calls above which a run does not show what it was to show.
  static let limit = 0.01

  /// Calls, and those among them that lacked it by cause.
  private(set) var calls = 0
  private var causes: [UnresolvedValue.Cause: Int] = [:]
  /// Other requests.
  private var others = 0
  /// The first one in words.
  private var example: String?

  mutating func add(_ missing: UnresolvedValue, _ script: AgentScript) {
    let step = script.session.steps[missing.step]
    if step.isCall { calls += 1 } else { others += 1 }
    causes[missing.cause, default: 0] += 1
    guard example == nil else { return }
    let value = script.session.values[missing.value]
    let source = script.session.steps[value.step]
    example =
      "\(script.session.name) n\(step.n) \(step.tool ?? step.method) needs \(value.source.path) of n\(source.n) "
      + "\(source.tool ?? source.method)"
  }

  mutating func merge(_ other: UnresolvedTally) {
    calls += other.calls
    others += other.others
    causes.merge(other.causes, uniquingKeysWith: +)
    example = example ?? other.example
  }

  /// Cause and cure in one sentence; `nil` when every value was there.
  func reason(of planned: Int) -> String? {
    guard let example else { return nil }
    let words: [(UnresolvedValue.Cause, String)] = [
      (.notInAnswer, "the answer has no such value"), (.failed, "the call that gives it failed"),
      (.notSent, "the call that gives it was not sent"),
    ]
    let parts = words.compactMap { cause, text in causes[cause].map { "\($0)× \(text)" } }
    let other = others > 0 ? " and \(others) other requests" : ""
    return
      "\(calls) of \(planned) calls\(other) lacked a value of an earlier answer (\(parts.joined(separator: ", ")); first "
      + "\(example)); look at the errors above them, check that the target is the recorded server with like data, or choose "
      + "--on-unresolved or --no-correlation"
  }
}
