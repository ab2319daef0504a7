import MCP
import ReplayPlan

/// Calls that needed a value which neither the run's answers nor the recording gave.
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
    let needs = "\(script.session.name) n\(step.n) \(step.tool ?? step.method) needs"
    guard let value = missing.value.map({ script.session.values[$0] }) else {
      let place = script.hidden[missing.step]
      example = place.map { "\(needs) a value for \($0)" } ?? "\(needs) an answer to the server"
      return
    }
    let source = script.session.steps[value.step]
    example =
      "\(needs) \(value.source.path) of n\(source.n) \(source.tool ?? source.method)"
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
      (.notSent, "the call that gives it was not sent"), (.redacted, "the recording hides it"),
    ]
    let parts = words.compactMap { cause, text in causes[cause].map { "\($0)× \(text)" } }
    let other = others > 0 ? " and \(others) other requests" : ""
    var cures: [String] = []
    if causes[.redacted] != nil {
      cures.append("record with less redaction or choose --on-unresolved recorded")
    }
    if causes.keys.contains(where: { $0 != .redacted }) {
      cures.append(
        "look at the errors above them, check that the target is the recorded server with like data, or choose "
          + "--on-unresolved or --no-correlation")
    }
    return
      "\(calls) of \(planned) calls\(other) lacked a value (\(parts.joined(separator: ", ")); first \(example)); "
      + cures.joined(separator: "; ")
  }
}
