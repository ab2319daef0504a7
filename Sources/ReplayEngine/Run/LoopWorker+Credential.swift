import ReplayPlan

/// The credential of a loop's agents.
extension LoopWorker {
  /// An agent that waits for a fresh credential.
  struct Refused {
    var agent: Agent
    var step: Int
  }

  /// Has a refused request sent again as soon as there is a fresh credential.
  func renew(_ agent: Agent, _ step: Int, stale: Int) {
    if let credential, credential.version > stale { return agent.reauthorized(step, clock.now) }
    refused.append(Refused(agent: agent, step: step))
    bearer?.renew(stale)
  }

  /// Takes a fresh credential; older ones than the present are of no interest.
  func take(_ fresh: Credential) {
    guard fresh.version > credential?.version ?? 0 else { return }
    credential = fresh
    for agent in open { agent.take(fresh) }
    let waiting = refused
    refused = []
    for entry in waiting { entry.agent.reauthorized(entry.step, clock.now) }
  }
}

extension LoopWorker {
  /// The agents from here on get rows that others had.
  func sayFeedIsOver(_ feed: Feed) {
    notice?(
      "the feed has \(feed.count) row\(feed.count == 1 ? "" : "s"), and there are more agents: rows are given again from the first"
    )
  }
}
