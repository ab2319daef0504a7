import Glibc

/// How a copy's think times differ from the recorded ones.
///
/// A turn's calls are fired together, so they are moved together: what is drawn is the time until the first of them.
public enum ThinkJitter: Hashable, Sendable, CustomStringConvertible {
  /// They do not.
  case none
  /// Each is multiplied by a number of `1 - share ..< 1 + share`.
  case uniform(Double)
  /// Each is multiplied by a number whose logarithm is normal with mean 0 and this deviation: the median stays.
  case lognormal(Double)
  /// Each is one of those recorded between the same two tools, in any session.
  case recorded

  /// `none`, `uniform:SHARE`, `lognormal:SIGMA` or `recorded`.
  public init?(_ text: String) {
    switch text {
    case "none": self = .none
    case "recorded": self = .recorded
    default:
      let parts = text.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let value = Double(parts[1]), value.isFinite else { return nil }
      switch parts[0] {
      case "uniform" where (0...1).contains(value): self = .uniform(value)
      case "lognormal" where (0...3).contains(value): self = .lognormal(value)
      default: return nil
      }
    }
  }

  /// As it is given on the command line.
  public var description: String {
    switch self {
    case .none: "none"
    case .uniform(let share): "uniform:\(share)"
    case .lognormal(let sigma): "lognormal:\(sigma)"
    case .recorded: "recorded"
    }
  }

  /// Returns another think time for one of the recording; `choices` are those of the same transition.
  func drawn(_ think: Int64, _ choices: [Int64], _ random: inout SplitMix64) -> Int64 {
    switch self {
    case .none: return think
    case .uniform(let share):
      return Int64(clamping: Double(think) * (1 + share * (2 * random.unit() - 1)))
    case .lognormal(let sigma):
      return Int64(clamping: Double(think) * exp(sigma * random.normal()))
    case .recorded:
      guard !choices.isEmpty else { return think }
      return choices[Int(random.below(Int64(choices.count)))]
    }
  }
}

/// The recorded think times between two tools.
struct ThinkTable: Sendable {
  struct Transition: Hashable, Sendable {
    var from: String
    var to: String
  }

  private var times: [Transition: [Int64]] = [:]

  init() {}

  init(_ scripts: [SessionScript]) {
    for script in scripts {
      for (i, step) in script.steps.enumerated() {
        guard let transition = ThinkTable.transition(to: step, in: script) else { continue }
        guard ThinkTable.opensTurn(i, script) else { continue }
        times[transition, default: []].append(step.think)
      }
    }
    for key in times.keys { times[key]?.sort() }
  }

  subscript(_ transition: Transition) -> [Int64] { times[transition] ?? [] }

  /// The tool whose answer an agent's call waited for last, and its own; `nil` for what is no agent's idea.
  static func transition(to step: ScriptStep, in script: SessionScript) -> Transition? {
    guard step.isCall, let last = step.after.last else { return nil }
    return Transition(from: script.steps[last].tool ?? "", to: step.tool ?? "")
  }

  /// True for the first call of its turn.
  static func opensTurn(_ i: Int, _ script: SessionScript) -> Bool {
    let turn = script.steps[i].turn
    return !script.steps[..<i].reversed().prefix { $0.turn == turn || !$0.isCall }
      .contains { $0.isCall && $0.turn == turn }
  }
}
