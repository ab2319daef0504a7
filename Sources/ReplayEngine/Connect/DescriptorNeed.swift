import Glibc
public import ReplayPlan

/// How many descriptors a run needs at once, and how many there may be.
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

  /// The most that this process may have.
  public static var limit: Int {
    var limit = rlimit()
    // Fills in the struct it is given.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return .max
    }
    return Int(clamping: limit.rlim_max)
  }

  /// Connections that a script's client has open at once: requests that overlap, and streams that stay.
  private static func width(_ script: AgentScript) -> Int {
    var changes: [(at: Int64, by: Int)] = []
    var streams = 0
    for (i, step) in script.session.steps.enumerated() {
      if step.kind == .openStream || step.isLongLived {
        streams += 1
      } else if step.kind != .closeStream, script.skips[i] == nil {
        changes.append((script.timing.ideal[i], 1))
        changes.append((max(script.timing.idealDone[i], script.timing.ideal[i] + 1), -1))
      }
    }
    changes.sort { ($0.at, $0.by) < ($1.at, $1.by) }
    var open = 0
    var most = 0
    for change in changes {
      open += change.by
      most = max(most, open)
    }
    return streams + most
  }
}
