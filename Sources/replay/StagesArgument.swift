import ArgumentParser
import ReplayPlan

/// `30s:100,30s:100,10s:0`: durations and targets of agents, or with `/s` behind every target of sessions started per second.
struct StagesArgument: ExpressibleByArgument, Sendable {
  let stages: [Load.Stage]
  let text: String

  init?(argument: String) {
    text = argument
    var stages: [Load.Stage] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let colon = part.lastIndex(of: ":"),
        let duration = DurationArgument(argument: String(part[..<colon]))
      else { return nil }
      var target = part[part.index(after: colon)...]
      let isRate = target.hasSuffix("/s")
      if isRate { target = target.dropLast(2) }
      guard let value = Double(target), value >= 0, value <= 1_000_000 else { return nil }
      stages.append(
        Load.Stage(
          duration: duration.nanoseconds, target: value, unit: isRate ? .rate : .agents))
    }
    guard let first = stages.first, stages.allSatisfy({ $0.unit == first.unit }),
      stages.contains(where: { $0.target > 0 }), stages.contains(where: { $0.duration > 0 }),
      stages.reduce(0.0, { $0 + Double($1.duration) }) < 0x1p62
    else { return nil }
    self.stages = stages
  }
}
