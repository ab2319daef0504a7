import Basics
import ReplayPlan

/// A plan's options as the summary repeats them; those at their default that say nothing are left out.
enum PlanFigures {
  static func options(_ options: PlanOptions) -> [(String, JSONValue)] {
    var members = load(options)
    members.append(("coupling", .string(options.coupling.rawValue)))
    members.append(("think_scale", .number("\(options.thinkScale)")))
    members.append(("arrival_scale", .number("\(options.arrivalScale)")))
    if let think = options.maxThink { members.append(("max_think_ms", milliseconds(think))) }
    members.append(("think_jitter", .string(options.thinkJitter.description)))
    members.append(("burst", .string(options.burst.description)))
    members.append(("resample", .string(options.resample.rawValue)))
    members.append(("jitter_ms", milliseconds(options.jitter)))
    members.append(("phase_window_ms", milliseconds(options.phaseWindow)))
    if let start = options.start { members.append(("start", .string(start.rawValue))) }
    if let duration = options.duration { members.append(("duration_ms", milliseconds(duration))) }
    members.append(("only", .array(options.only.map { .string($0.description) })))
    members.append(("skip", .array(options.skip.map { .string($0.description) })))
    if options.map.count > 0 { members.append(("map", .int(options.map.count))) }
    members.append(("correlation", .bool(options.correlates)))
    members.append(("after", .string(options.after.rawValue)))
    members.append(("on_unresolved", .string(options.onUnresolved.rawValue)))
    members.append(("allow_writes", .bool(options.allowsWrites)))
    return members
  }

  private static func load(_ options: PlanOptions) -> [(String, JSONValue)] {
    var members: [(String, JSONValue)] = []
    switch options.load {
    case .recorded: if options.count == nil { members.append(("multiply", .number("1.0"))) }
    case .agents(let count): members.append(("agents", .int(count)))
    case .rate(let rate): members.append(("session_rate", .number("\(rate)")))
    case .stages(let stages):
      members.append(
        (
          "stages",
          .array(
            stages.map {
              .object([
                .init("duration_ms", milliseconds($0.duration)),
                .init($0.unit == .agents ? "agents" : "session_rate", .number("\($0.target)")),
              ])
            })
        ))
    }
    switch options.count {
    case .multiply(let factor): members.append(("multiply", .number("\(factor)")))
    case .sessions(let count): members.append(("sessions", .int(count)))
    case nil: break
    }
    if options.loops { members.append(("loop", .bool(true))) }
    return members
  }

  private static func milliseconds(_ nanoseconds: Int64) -> JSONValue {
    .number("\(Double(nanoseconds) / 1e6)")
  }
}
