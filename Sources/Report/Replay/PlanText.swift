public import ReplayPlan

/// What a plan will do, for people.
public struct PlanText {
  private let plan: Plan

  /// Renders `plan`.
  public init(_ plan: Plan) { self.plan = plan }

  /// One line: how long the run will take and why.
  public var headline: String {
    let forecast = plan.forecast
    var parts = ["ends in \(Format.duration(nanoseconds: forecast.length))"]
    if let duration = plan.options.duration, forecast.length >= duration {
      parts[0] += " (--duration, and what is in flight then)"
    }
    if let think = forecast.longestThink {
      parts.append(
        "longest think \(Format.duration(nanoseconds: think.time)) at \(think.session) n\(think.n)")
    }
    if let capped = forecast.cappedLength, capped < forecast.length, plan.options.duration == nil {
      parts.append("--max-think 2m: \(Format.duration(nanoseconds: capped))")
    }
    return parts.joined(separator: "; ")
  }

  /// Length, numbers, peaks, writing calls and the first `count` calls of the timetable.
  public func text(timetable count: Int) -> String {
    let forecast = plan.forecast
    var lines = [headline]
    lines.append(
      "\(Format.count(forecast.sessions, "agent")) from \(Format.count(plan.scripts.count, "recorded session")), "
        + "\(Format.count(forecast.calls, "call"))"
        + (forecast.filtered > 0 ? ", \(forecast.filtered) of them left out by the filter" : "")
        + (plan.isEndless ? " (as many as fit at the recorded speed)" : ""))
    lines.append(
      "\(Format.decimal(forecast.callsPerSecond, digits: 2)) calls/s, peak "
        + "\(forecast.peakCallsPerSecond) in a second, \(forecast.peakConcurrency) in flight; agents: peak "
        + "\(forecast.peakAgents), mean \(Format.decimal(forecast.meanAgents, digits: 1)) (with the recorded service times)"
    )
    lines.append("\(Format.percent(forecast.distinctCallShare)) of the calls are distinct")
    if forecast.bindings > 0 {
      lines.append(
        "\(Format.count(forecast.boundCalls, "call")) with "
          + "\(Format.count(forecast.bindings, "value")) of earlier answers, taken from the run's own"
      )
    } else if !plan.options.correlates {
      lines.append("recorded values are sent as they were (--no-correlation)")
    }
    if forecast.hiddenCalls > 0 {
      lines.append(
        "\(Format.count(forecast.hiddenCalls, "call")) said what the recording hides (redaction) and no answer gives: "
          + (plan.options.onUnresolved == .recorded
            ? "surrogates are sent (--on-unresolved recorded)" : "left out as unresolved"))
    }
    lines.append("plan \(plan.digest) seed \(plan.options.seed)")
    return lines.joined(separator: "\n") + "\n" + writes + timetable(count)
  }

  /// Calls of tools that are not known to be read-only; empty without any.
  public var writes: String {
    guard !plan.forecast.writes.isEmpty else { return "" }
    var table = Table([.text("tool"), .number("calls")])
    for write in plan.forecast.writes { table.add([write.tool, "\(write.calls)"]) }
    return "calls of tools that are not known to be read-only (no readOnlyHint):\n"
      + table.text(indent: 2)
  }

  private func timetable(_ count: Int) -> String {
    var calls: [(due: Int64, agent: PlannedAgent, step: Int)] = []
    for agent in plan.agents.prefix(plan.open ?? plan.agents.count) {
      let script = plan.scripts[agent.script]
      for (i, step) in script.session.steps.enumerated() where step.isCall && script.skips[i] == nil
      {
        calls.append((agent.start + script.ideal[i], agent, i))
      }
    }
    guard count > 0, !calls.isEmpty else { return "" }
    calls.sort { ($0.due, $0.agent.script, $0.step) < ($1.due, $1.agent.script, $1.step) }
    var table = Table([
      .number("due"), .text("session"), .number("copy"), .number("turn"), .text("tool"),
      .number("think"),
    ])
    for call in calls.prefix(count) {
      let script = plan.scripts[call.agent.script]
      let step = script.session.steps[call.step]
      table.add([
        Format.offset(nanoseconds: call.due), script.session.name, "\(call.agent.clone)",
        "\(step.turn)", step.tool ?? "", Format.duration(nanoseconds: script.think[call.step]),
      ])
    }
    let more = calls.count > count ? "and \(calls.count - count) more, see --show\n" : ""
    return table.text() + more
  }
}
