import Basics
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
    if let end = plan.options.end, forecast.length >= end {
      let why = plan.options.duration == end ? "--duration" : "the last stage"
      parts[0] += " (\(why), and what is in flight then)"
    }
    if let think = forecast.longestThink {
      parts.append(
        "longest think \(Format.duration(nanoseconds: think.time)) at \(think.session) n\(think.n)")
    }
    if let capped = forecast.cappedLength, capped < forecast.length, plan.options.end == nil {
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
    lines += entries + pacing
    lines.append(
      "\(Format.decimal(forecast.callsPerSecond, digits: 2)) calls/s, peak "
        + "\(forecast.peakCallsPerSecond) in a second, \(forecast.peakConcurrency) in flight; agents: peak "
        + "\(forecast.peakAgents), mean \(Format.decimal(forecast.meanAgents, digits: 1)) (with the recorded service times)"
    )
    lines += warnings
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

  /// Agents whose calls are looked at for the timetable.
  private static let agentLimit = 10_000

  /// Who comes in when the run begins, and who is not whole.
  private var entries: [String] {
    let forecast = plan.forecast
    var lines: [String] = []
    if forecast.aged > 0 {
      lines.append(
        "stationary start: \(Format.count(forecast.aged, "agent")) under way when the run begins; they come in within "
          + "\(Format.duration(nanoseconds: forecast.prologue)) before, and what they make up for is not counted (prologue)"
      )
    }
    if forecast.cutSessions > 0 {
      lines.append(
        "\(Format.count(forecast.cutSessions, "recorded session")) not seen whole (cut or unfinished), drawn half as often"
      )
    }
    return lines
  }

  /// How the load comes, where it is not the recording's own.
  private var pacing: [String] {
    let options = plan.options
    var parts: [String] = []
    if options.coupling != .gap { parts.append("coupling \(options.coupling.rawValue)") }
    if options.thinkScale != 1 { parts.append("think times × \(options.thinkScale)") }
    if options.arrivalScale != 1 { parts.append("gaps between starts × \(options.arrivalScale)") }
    if options.thinkJitter != .none { parts.append("think jitter \(options.thinkJitter)") }
    if options.burst != .independent { parts.append("burst \(options.burst)") }
    if options.resample != .balanced { parts.append("resample \(options.resample.rawValue)") }
    let band = zip(IndexOfDispersion.windows.map(\.name), plan.forecast.idcBand).compactMap {
      name, band in
      band.map {
        "\(name) \(Format.decimal($0.lowerBound, digits: 2))–\(Format.decimal($0.upperBound, digits: 2))"
      }
    }
    var lines = parts.isEmpty ? [] : [parts.joined(separator: ", ")]
    if !band.isEmpty {
      lines.append(
        "bursts (index of dispersion of a faithful run): " + band.joined(separator: ", "))
    }
    if plan.forecast.sampled < 1 {
      lines.append(
        "peaks are estimates from \(Format.percent(plan.forecast.sampled)) of the agents")
    }
    return lines
  }

  /// What may make the result say less than it seems to.
  private var warnings: [String] {
    let forecast = plan.forecast
    var lines = [
      "\(Format.percent(forecast.distinctCallShare)) of the calls are distinct"
        + (forecast.distinctCallShare < 0.1
          ? ": a cache in the server will answer more of them than in production (--map gives other values)"
          : "")
    ]
    if forecast.waitingCalls > 0 {
      lines.append(
        "\(forecast.orderCalls) of \(Format.count(forecast.waitingCalls, "waiting call")) wait on the recorded order alone"
          + (forecast.orderCalls > 0 ? " (--after uses sends them without)" : ""))
    }
    if forecast.longestIdle > forecast.survivedIdle {
      lines.append(
        "an agent is idle for up to \(Format.duration(nanoseconds: forecast.longestIdle)), the longest that a recorded session "
          + "survived is \(Format.duration(nanoseconds: forecast.survivedIdle)): sessions may be lost to the server's own time-out"
      )
    }
    return lines
  }

  private func timetable(_ count: Int) -> String {
    guard count > 0 else { return "" }
    var calls: [(due: Int64, agent: PlannedAgent, step: Int)] = []
    for agent in plan.firstAgents(PlanText.agentLimit) {
      let script = plan.scripts[agent.script]
      for i in script.callSteps(of: agent) where script.skips[i] == nil {
        calls.append((agent.start + script.timing.ideal[i], agent, i))
      }
    }
    guard !calls.isEmpty else { return "" }
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
        "\(step.turn)", step.tool ?? "",
        Format.duration(nanoseconds: script.timing.think[call.step]),
      ])
    }
    let all = (plan.isClosed ? calls.count : plan.forecast.calls - plan.forecast.filtered)
    let more = all > count ? "and \(all - count) more, see --show\n" : ""
    return table.text() + more
  }
}
