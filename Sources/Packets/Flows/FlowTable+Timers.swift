import Basics

extension FlowTable {
  /// Makes sure that timers run at `deadline`.
  mutating func wake(at deadline: Timestamp) {
    if deadline < nextTimer { nextTimer = deadline }
  }

  /// Gives up holes and forgets flows for which the capture's clock says so.
  mutating func runTimers() {
    fragments.expire(now, &counters)
    for watch in timers.due(now) where isWanted(watch) {
      store.flows[watch.slot][watch.side].waiting?.isWatched = false
      drainBoth(watch.slot, watch.side)
      classify(watch.slot)
    }
    while let slot = store.oldest(.closed),
      now - store.flows[slot].lastSeen > Patience.closed
    {
      retire(slot, .idle)
    }
    for stage in [Flow.Stage.opening, .active] {
      while let slot = store.oldest(stage), now - store.flows[slot].lastSeen > Patience.idle {
        giveUp(slot)
        store.move(slot, to: store.flows[slot].isClosed ? .closed : .dormant)
      }
    }
    schedule()
  }

  /// Finds out when timers have something to do again.
  private mutating func schedule() {
    nextTimer = Timestamp(nanoseconds: .max)
    if let deadline = timers.deadline { wake(at: deadline) }
    if let deadline = fragments.deadline { wake(at: deadline + 1) }
    if let slot = store.oldest(.closed) {
      wake(at: store.flows[slot].lastSeen + (Patience.closed + 1))
    }
    for stage in [Flow.Stage.opening, .active] {
      guard let slot = store.oldest(stage) else { continue }
      wake(at: store.flows[slot].lastSeen + (Patience.idle + 1))
    }
  }

  /// Moves a flow that has just ended to those that are forgotten first.
  mutating func classify(_ slot: Int) {
    guard store.flows[slot].isClosed, store.flows[slot].stage != .closed else { return }
    store.move(slot, to: .closed)
    wake(at: store.flows[slot].lastSeen + (Patience.closed + 1))
  }

  /// Sets a timer for a direction whose wait may be over although nothing more comes.
  mutating func watch(_ slot: Int, _ side: Side, _ cause: Waiting.Cause) {
    if timers.count > 4 * limits.flows {
      let flows = store.flows
      timers.keep { flows[$0.slot].id == $0.id && flows[$0.slot][$0.side].isWatched }
    }
    wake(at: timers.add(slot, side, store.flows[slot].id, cause, now: now))
  }

  private func isWanted(_ watch: FlowTimers.Watch) -> Bool {
    store.flows[watch.slot].id == watch.id && store.flows[watch.slot][watch.side].isWatched
  }

  /// Turns a flow's holes into gaps; the flow goes on.
  mutating func giveUp(_ slot: Int) {
    let first = leading(slot)
    store.flows[slot].low.giveUpHoles(now)
    store.flows[slot].high.giveUpHoles(now)
    drainBoth(slot, first)
  }

  /// Makes the flows that hold most give up until a quarter of the total is free: one sort pays for many packets.
  mutating func relieve() {
    var costs: [(slot: Int, charge: Int)] = []
    for slot in store.slots where store.flows[slot].charge > 0 {
      costs.append((slot, store.flows[slot].charge))
    }
    costs.sort { ($0.charge, $1.slot) > ($1.charge, $0.slot) }
    for (slot, _) in costs where held > limits.heldInTotal / 4 * 3 {
      counters.count(.totalHeldLimit)
      store.flows[slot].low.resolveSYNData(wasTaken: false, &counters)
      store.flows[slot].high.resolveSYNData(wasTaken: false, &counters)
      giveUp(slot)
      if store.flows[slot].client == nil {
        settle(ClientGuess.byPort(store.flows[slot].key), slot)
      }
      classify(slot)
    }
  }
}
