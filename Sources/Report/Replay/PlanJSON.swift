import Basics
public import ReplayPlan

/// What a plan will do, for programs; times are milliseconds.
public struct PlanJSON {
  private let plan: Plan

  /// Renders `plan`.
  public init(_ plan: Plan) { self.plan = plan }

  /// The JSON text with a line end: totals and the calls of every agent that has a fixed start.
  public var text: String {
    let forecast = plan.forecast
    var members: [JSONValue.Member] = [
      .init("digest", .string(plan.digest)), .init("seed", .int(plan.options.seed)),
      .init("sessions", .int(forecast.sessions)), .init("calls", .int(forecast.calls)),
      .init("filtered", .int(forecast.filtered)), .init("length_ms", milliseconds(forecast.length)),
    ]
    if let think = forecast.longestThink {
      members.append(
        .init(
          "longest_think",
          .object([
            .init("ms", milliseconds(think.time)), .init("session", .string(think.session)),
            .init("n", .int(think.n)),
          ])))
    }
    members += [
      .init("calls_per_s", .number(Format.decimal(forecast.callsPerSecond, digits: 6))),
      .init("peak_calls_per_s", .int(forecast.peakCallsPerSecond)),
      .init("peak_concurrency", .int(forecast.peakConcurrency)),
      .init("peak_agents", .int(forecast.peakAgents)),
      .init("mean_agents", .number(Format.decimal(forecast.meanAgents, digits: 6))),
      .init("distinct_call_share", .number(Format.decimal(forecast.distinctCallShare, digits: 6))),
      .init("bound_calls", .int(forecast.boundCalls)), .init("bindings", .int(forecast.bindings)),
      .init(
        "writes",
        .array(
          forecast.writes.map {
            .object([.init("tool", .string($0.tool)), .init("calls", .int($0.calls))])
          })),
      .init("waiting_calls", .int(forecast.waitingCalls)),
      .init("order_calls", .int(forecast.orderCalls)),
      .init("longest_idle_ms", milliseconds(forecast.longestIdle)),
      .init("survived_idle_ms", milliseconds(forecast.survivedIdle)),
      .init("cut_sessions", .int(forecast.cutSessions)),
      .init("aged_agents", .int(forecast.aged)),
      .init("prologue_ms", milliseconds(forecast.prologue)),
      .init("sampled", .number(Format.decimal(forecast.sampled, digits: 6))),
      .init("idc_band", band),
      .init("agents", .array(plan.firstAgents(PlanJSON.agentLimit).map(agent))),
    ]
    return JSONValue.object(members).text + "\n"
  }

  /// Agents that are listed; of more the first.
  private static let agentLimit = 100_000

  private var band: JSONValue {
    .object(
      zip(IndexOfDispersion.windows.map(\.name), plan.forecast.idcBand).map { name, band in
        .init(
          name,
          band.map {
            .array(
              [$0.lowerBound, $0.upperBound].map { .number(Format.decimal($0, digits: 6)) })
          } ?? .null)
      })
  }

  private func agent(_ agent: PlannedAgent) -> JSONValue {
    let script = plan.scripts[agent.script]
    let calls = script.session.steps.indices.filter {
      script.session.steps[$0].isCall && script.skips[$0] == nil
        && script.timing.ideal[$0] >= agent.age
    }
    return .object([
      .init("session", .string(script.session.name)), .init("copy", .int(agent.clone)),
      .init("start_ms", milliseconds(agent.start)),
      .init(
        "calls",
        .array(
          calls.map { i in
            .object([
              .init("n", .int(script.session.steps[i].n)),
              .init("tool", .string(script.session.steps[i].tool ?? "")),
              .init("due_ms", milliseconds(agent.start + script.timing.ideal[i])),
            ])
          })),
    ])
  }

  private func milliseconds(_ nanoseconds: Int64) -> JSONValue {
    let sign = nanoseconds < 0 ? "-" : ""
    let whole = nanoseconds.magnitude
    let fraction = String(whole % 1_000_000)
    let padding = String(repeating: "0", count: 6 - fraction.count)
    return .number("\(sign)\(whole / 1_000_000).\(padding)\(fraction)")
  }
}
