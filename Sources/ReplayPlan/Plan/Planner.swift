import Trace

/// Makes a plan of what a trace says and the user asks.
public struct Planner {
  private let traffic: RecordedTraffic
  private let options: PlanOptions

  /// Creates a planner.
  public init(_ traffic: RecordedTraffic, _ options: PlanOptions) {
    self.traffic = traffic
    self.options = options
  }

  /// Returns the plan. O(steps + agents), for the burst band some 200 times the requests of a sample.
  public func plan() -> Plan {
    let table =
      options.thinkJitter == .recorded ? ThinkTable(traffic.scripts) : ThinkTable()
    let scripts = traffic.scripts.map { AgentScript($0, options, thinkTable: table) }
    let population = Population(traffic, options, scripts)
    return Plan(
      options: options, scripts: scripts,
      digest: PlanDigest.digest(options, scripts, recorded: traffic.length),
      forecast: Forecaster(population, readOnly: traffic.readOnlyTools).forecast(traffic),
      stages: population.stages, population: population)
  }
}
