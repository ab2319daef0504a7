import MCP

/// What a client does that comes in when its session is under way.
///
/// Theory: what it did before is over, at the times of its simulation. Only what the server or later calls need of it is done, at
/// once and in the recorded order: the handshake, streams, subscriptions, and the calls whose answers give values that are still
/// to be used (the prologue).
struct AgentEntry {
  /// For each step whether it is done in the prologue.
  let isNeeded: [Bool]
  /// Steps before this one's place in time are past.
  let age: Int64

  /// Methods that change what the server does for the session.
  private static let lasting: Set<String> = [
    "initialize", "notifications/initialized", "logging/setLevel", "resources/subscribe",
    "subscriptions/listen",
  ]

  /// Looks at the steps of a script that are due before `age`. O(steps).
  init(_ script: AgentScript, age: Int64) {
    self.age = age
    let timing = script.timing
    let steps = script.session.steps
    var isNeeded = Array(repeating: false, count: steps.count)
    guard age > 0 else {
      self.isNeeded = isNeeded
      return
    }
    var closed: Set<Int> = []
    for (i, step) in steps.enumerated() where timing.ideal[i] < age {
      if let stream = step.closes { closed.insert(stream) }
    }
    for i in steps.indices.reversed() {
      let step = steps[i]
      let isPast = timing.ideal[i] < age
      if isPast {
        let lasts =
          AgentEntry.lasting.contains(step.method) || step.kind == .openStream || step.isLongLived
        if lasts, !closed.contains(i) { isNeeded[i] = true }
      }
      guard !isPast || isNeeded[i] else { continue }
      for earlier in script.session.needs(of: step) { isNeeded[earlier] = true }
    }
    for i in steps.indices where timing.ideal[i] >= age { isNeeded[i] = false }
    self.isNeeded = isNeeded
  }
}
