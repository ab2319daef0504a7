import ReplayPlan

/// An agent that a loop is to start, and the place of a closed load that it takes.
struct AwaitedAgent: Sendable {
  var agent: PlannedAgent
  /// When it begins to work, nanoseconds since the run's beginning.
  var comes: Int64
  var slot: PlannedSlot?
  /// Its place among all in order of their start.
  var number: Int
}

/// Hands a plan's agents to the loops, those of a long open load some minutes at a time.
struct LoadFeed: Sendable {
  /// Agents are handed over so long before the first of them starts.
  private static let ahead: Int64 = 5_000_000_000

  private let setup: RunSetup
  private let handles: [LoopHandle]

  init(_ setup: RunSetup, _ handles: [LoopHandle]) {
    self.setup = setup
    self.handles = handles
  }

  /// Feeds the loops until there are no more agents; returns what a stop left over, counted as such.
  func run() async -> Recorder {
    var left = Recorder(setup.labels, stageEnds: setup.stageEnds)
    if setup.plan.isClosed {
      feedSlots()
    } else {
      await feedArrivals(&left)
    }
    for handle in handles { handle.add([], isLast: true) }
    return left
  }

  private func feedSlots() {
    var shares: [[AwaitedAgent]] = handles.map { _ in [] }
    for (i, slot) in setup.plan.slots.enumerated() {
      guard var agent = slot.first ?? setup.plan.agent(slot.number) else { continue }
      if slot.first == nil { agent.start = slot.opens }
      shares[i % shares.count].append(
        AwaitedAgent(agent: agent, comes: setup.plan.entry(of: agent), slot: slot, number: i))
    }
    hand(shares)
  }

  private func feedArrivals(_ left: inout Recorder) async {
    var number = 0
    var arrivals = setup.plan.arrivals()
    while let batch = arrivals.next() {
      if let first = batch.first { await wait(until: first.start - LoadFeed.ahead) }
      if let reason = setup.gauges.stopReason {
        for agent in batch { left.omit(setup.plan.scripts[agent.script], agent, reason.skip) }
        continue
      }
      var shares: [[AwaitedAgent]] = handles.map { _ in [] }
      for agent in batch {
        shares[number % shares.count].append(
          AwaitedAgent(agent: agent, comes: setup.plan.entry(of: agent), number: number))
        number += 1
      }
      hand(shares)
    }
  }

  private func hand(_ shares: [[AwaitedAgent]]) {
    for (handle, share) in zip(handles, shares) {
      handle.add(share.sorted { $0.comes < $1.comes }, isLast: false)
    }
  }

  private func wait(until time: Int64) async {
    while setup.gauges.stopReason == nil {
      let left = time - setup.clock.now
      guard left > 0 else { return }
      do {
        try await Task.sleep(for: .nanoseconds(min(left, 200_000_000)))
      } catch {
        // Cancelled: nothing is waited for any more.
        return
      }
    }
  }
}

extension AgentStop {
  /// Why what a stop leaves out is not sent; nothing for an interruption.
  var skip: SkipReason? { self == .duration ? .duration : nil }
}
