import Basics
import ReplayPlan

extension RunTrace {
  /// What the header of a run's trace says of the plan that it carries out, so that both can be compared (`replay`).
  static func origin(_ plan: Plan) -> JSONValue {
    let options = plan.options
    func text(_ value: Double) -> JSONValue { .number("\(value)") }
    var members: [JSONValue.Member] = [
      .init("digest", .string(plan.digest)), .init("seed", .int(options.seed)),
      .init("burst", .string(options.burst.description)),
      .init("coupling", .string(options.coupling.rawValue)),
      .init("think_scale", text(options.thinkScale)),
      .init("think_jitter", .string(options.thinkJitter.description)),
    ]
    if let think = options.maxThink {
      members.append(.init("max_think_ms", text(Double(think) / 1e6)))
    }
    let bands = zip(IndexOfDispersion.windows.map(\.name), plan.forecast.idcBand).compactMap {
      window, band in
      band.map {
        JSONValue.Member(window, .array([text($0.lowerBound), text($0.upperBound)]))
      }
    }
    if !bands.isEmpty { members.append(.init("idc_band", .object(bands))) }
    return .object(members)
  }
}
