import HeapModule

/// An agent from its start to its end, when every answer takes as long as recorded.
struct Life: Sendable {
  var script: Int
  var seed: UInt64
  /// Nanoseconds since the run's beginning; negative for one that is under way by then.
  var start: Int64
  var end: Int64
  /// When it is sent home.
  var closes: Int64?
}

extension Population {
  /// A session takes some time even when its script has none.
  static let shortestLife: Int64 = 1_000_000

  /// Goes through the lives of all agents, those of an open load in no order.
  ///
  /// `every` takes one in so many groups of copies that belong together, or of places of a closed load.
  /// Those of a load at a rate that start after `until` may be left out.
  func eachLife(every step: Int = 1, until: Int64 = .max, _ body: (Life) -> Void) {
    guard options.load.isClosed else {
      if let rate = RateArrivals(self) { return eachArrival(rate, every: step, until: until, body) }
      let members = pool.groups(options.burst)
      for group in stride(from: 0, to: members.count, by: step) {
        for i in members[group] {
          for agent in lives(i) { body(life(agent, closes: nil)) }
        }
      }
      return
    }
    replace(every: step, body)
  }

  private func eachArrival(
    _ arrivals: RateArrivals, every step: Int, until: Int64, _ body: (Life) -> Void
  ) {
    var arrivals = arrivals
    var number = 0
    while let batch = arrivals.next(), let first = batch.first, first.start <= until {
      for agent in batch {
        if options.burst.group(number) % step == 0 { body(life(agent, closes: nil)) }
        number += 1
      }
    }
  }

  private func life(_ agent: PlannedAgent, closes: Int64?) -> Life {
    let length = scripts[agent.script].timing.length
    return Life(
      script: agent.script, seed: agent.seed, start: agent.start,
      end: agent.start + max(Population.shortestLife, length), closes: closes)
  }

  /// A closed load: whoever is through first is replaced first.
  private func replace(every step: Int, _ body: (Life) -> Void) {
    let limit = options.end ?? .max
    var free = Heap<Free>()
    for (i, slot) in slots().enumerated() where options.burst.group(i) % step == 0 {
      free.insert(Free(at: slot.opens, slot: slot))
    }
    var next = free.count
    // The cap holds an endless plan of the shortest sessions; a forecast of so many says all there is to say.
    var lives = 0
    while let place = free.popMin(), lives < 1_000_000 {
      guard place.at < min(limit, place.slot.closes ?? .max) else { continue }
      var agent: PlannedAgent?
      if place.isFirst {
        agent = place.slot.first ?? replacement(place.slot.number)
      } else {
        agent = replacement(next)
        next += 1
      }
      guard var agent else { continue }
      if !(place.isFirst && place.slot.first != nil) { agent.start = place.at }
      let life = life(agent, closes: place.slot.closes)
      body(life)
      lives += 1
      free.insert(Free(at: life.end, slot: place.slot, isFirst: false))
    }
  }

  private struct Free: Comparable {
    var at: Int64
    var slot: PlannedSlot
    var isFirst = true

    static func < (a: Free, b: Free) -> Bool { (a.at, a.slot.number) < (b.at, b.slot.number) }
  }
}
