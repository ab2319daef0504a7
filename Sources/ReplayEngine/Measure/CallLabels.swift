import ReplayPlan
import Trace

/// Numbers by which requests are counted, one table for each script: counting looks up no names.
struct CallLabels: Sendable {
  /// What counting needs to know of a step.
  struct Label: Sendable {
    var tool: Int32
    var method: Int32
    var turn: UInt8
    var isCall: Bool
    var isLongLived: Bool
    /// True for a GET stream.
    var isStream: Bool
    /// The connection that carried it in the recording.
    var connection: Int?
    var isLastOnConnection: Bool
    /// How it ended in the recording.
    var then: Outcome?

    /// As `ScriptStep.isSuccess`.
    func isSuccess(_ outcome: Outcome) -> Bool {
      outcome == .ok || outcome == .toolError && then == .toolError
    }
  }

  private(set) var tools: [String] = []
  private(set) var methods: [String] = []
  /// By script and step.
  private(set) var steps: [[Label]] = []

  /// The last turn of each place; turns are told apart as long as sessions commonly last.
  private static let turnEnds = Array(1...20) + [50, 100, .max]
  static let turnNames = (1...20).map(String.init) + ["21-50", "51-100", "101-"]

  init(_ scripts: [AgentScript]) {
    var toolNumbers: [String: Int32] = [:]
    var methodNumbers: [String: Int32] = [:]
    for script in scripts {
      steps.append(
        script.session.steps.map { step in
          Label(
            tool: CallLabels.number(step.tool ?? "", &toolNumbers, &tools),
            method: CallLabels.number(step.method, &methodNumbers, &methods),
            turn: CallLabels.turn(step.turn), isCall: step.isCall, isLongLived: step.isLongLived,
            isStream: step.kind == .openStream, connection: step.connection,
            isLastOnConnection: step.isLastOnConnection, then: step.outcome)
        })
    }
  }

  private static func turn(_ turn: Int) -> UInt8 {
    UInt8(turnEnds.firstIndex { turn <= $0 } ?? 0)
  }

  private static func number(
    _ name: String, _ numbers: inout [String: Int32], _ names: inout [String]
  ) -> Int32 {
    if let known = numbers[name] { return known }
    let number = Int32(names.count)
    numbers[name] = number
    names.append(name)
    return number
  }
}
