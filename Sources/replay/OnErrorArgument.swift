import ArgumentParser
import ReplayPlan

/// `end-turn`, `continue`, `end-session` or `retry:N`.
struct OnErrorArgument: ExpressibleByArgument, Sendable {
  let policy: AgentPolicy.OnError
  let text: String

  init?(argument: String) {
    text = argument
    switch argument {
    case "end-turn": policy = .endTurn
    case "continue": policy = .carryOn
    case "end-session": policy = .endSession
    default:
      guard argument.hasPrefix("retry:"), let count = Int(argument.dropFirst("retry:".count)),
        (1...100).contains(count)
      else { return nil }
      policy = .retry(count)
    }
  }

  var defaultValueDescription: String { text }
}
