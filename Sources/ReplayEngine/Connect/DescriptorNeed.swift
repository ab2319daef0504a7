import Basics
public import ReplayPlan

/// How many descriptors a run needs at once.
public enum DescriptorNeed {
  /// What the process has open besides agents' connections: files, loops, timers.
  private static let own = 64

  /// Returns about how many a plan needs: its agents at the peak, each with the connections of an average script.
  public static func count(_ plan: Plan, _ mode: ConnectionMode) -> Int {
    let peak = plan.forecast.peakAgents
    if case .shared(let connections) = mode { return own + connections }
    let scripts = plan.scripts
    guard !scripts.isEmpty else { return own }
    let all = scripts.reduce(0) { $0 + width($1) }
    return own + peak * all / scripts.count
  }

  /// Connections that a script's client has open at once: requests that overlap, and streams that stay.
  private static func width(_ script: AgentScript) -> Int {
    var requests: [(start: Int64, end: Int64)] = []
    var streams = 0
    for (i, step) in script.session.steps.enumerated() {
      if step.kind == .openStream || step.isLongLived {
        streams += 1
      } else if step.kind != .closeStream, script.skips[i] == nil {
        requests.append((script.timing.ideal[i], script.timing.idealDone[i]))
      }
    }
    return streams + PeakOverlap.of(requests)
  }
}
