import Basics

/// All flows, found by key in O(1) and, stage by stage, in the order they were last seen.
///
/// A flow has a slot; slots are used again. The index is a table with linear probing whose entries hold half of the hash
/// beside the slot, so that most misses cost no look at a flow.
///
/// Invariant: the table is at most half full; every used slot is in it once and in the chain of its flow's stage.
struct FlowStore {
  var flows: [Flow] = []
  /// Multipliers of the hash.
  let seed = HashSeed()
  private(set) var count = 0
  private var table = [Entry](repeating: Entry(), count: 64)
  private var free: [Int32] = []
  private var chains = [Chain](repeating: Chain(), count: Flow.Stage.allCases.count)

  private struct Entry {
    var tag: UInt32 = 0
    /// -1 where there is none.
    var slot: Int32 = -1
  }

  private struct Chain {
    var head: Int32 = -1
    var tail: Int32 = -1
  }

  /// Slots in use, in ascending order.
  var slots: [Int] {
    var used: [Int] = []
    used.reserveCapacity(count)
    for entry in table where entry.slot >= 0 { used.append(Int(entry.slot)) }
    return used.sorted()
  }

  /// Returns the slot of a connection.
  @inline(__always)
  func find(_ key: FlowKey) -> Int? {
    let tag = UInt32(truncatingIfNeeded: seed.hash(key))
    var i = Int(tag) & (table.count - 1)
    while true {
      let entry = table[i]
      if entry.slot < 0 { return nil }
      if entry.tag == tag, flows[Int(entry.slot)].key == key { return Int(entry.slot) }
      i = (i + 1) & (table.count - 1)
    }
  }

  /// Returns the flow of `stage` that was silent for longest.
  func oldest(_ stage: Flow.Stage) -> Int? {
    let head = chains[Int(stage.rawValue)].head
    return head < 0 ? nil : Int(head)
  }

  mutating func insert(_ flow: Flow, _ stage: Flow.Stage) -> Int {
    let slot: Int
    if let used = free.popLast() {
      slot = Int(used)
      flows[slot] = flow
    } else {
      slot = flows.count
      flows.append(flow)
    }
    count += 1
    if 2 * count > table.count { grow() }
    enter(Entry(tag: tag(slot), slot: Int32(slot)))
    link(slot, stage)
    return slot
  }

  mutating func remove(_ slot: Int) {
    unlink(slot)
    withdraw(slot)
    count -= 1
    flows[slot].backlog = nil
    flows[slot].low = StreamAssembler()
    flows[slot].high = StreamAssembler()
    free.append(Int32(slot))
  }

  /// Notes that the flow was seen; its place among the recent ones follows once a second.
  @inline(__always)
  mutating func touch(_ slot: Int, _ now: Timestamp) {
    if now - flows[slot].movedAt > Patience.order { move(slot, to: .active) }
  }

  /// Makes the flow the most recent one of `stage`.
  mutating func move(_ slot: Int, to stage: Flow.Stage) {
    flows[slot].movedAt = flows[slot].lastSeen
    if flows[slot].stage == stage, chains[Int(stage.rawValue)].tail == slot { return }
    unlink(slot)
    link(slot, stage)
  }

  // MARK: Table

  private func tag(_ slot: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: seed.hash(flows[slot].key))
  }

  private mutating func enter(_ entry: Entry) {
    var i = Int(entry.tag) & (table.count - 1)
    while table[i].slot >= 0 { i = (i + 1) & (table.count - 1) }
    table[i] = entry
  }

  /// Takes an entry out and moves those behind it up, so that no search meets a hole (Knuth, 6.4, algorithm R).
  private mutating func withdraw(_ slot: Int) {
    let mask = table.count - 1
    var hole = Int(tag(slot)) & mask
    while table[hole].slot != Int32(slot) { hole = (hole + 1) & mask }
    var i = hole
    while true {
      i = (i + 1) & mask
      guard table[i].slot >= 0 else { break }
      let home = Int(table[i].tag) & mask
      if (i - home) & mask >= (i - hole) & mask {
        table[hole] = table[i]
        hole = i
      }
    }
    table[hole] = Entry()
  }

  private mutating func grow() {
    let old = table
    table = [Entry](repeating: Entry(), count: 2 * old.count)
    for entry in old where entry.slot >= 0 { enter(entry) }
  }

  // MARK: Chains

  private mutating func link(_ slot: Int, _ stage: Flow.Stage) {
    let tail = chains[Int(stage.rawValue)].tail
    flows[slot].stage = stage
    flows[slot].previous = tail
    flows[slot].following = -1
    if tail >= 0 {
      flows[Int(tail)].following = Int32(slot)
    } else {
      chains[Int(stage.rawValue)].head = Int32(slot)
    }
    chains[Int(stage.rawValue)].tail = Int32(slot)
  }

  private mutating func unlink(_ slot: Int) {
    let stage = Int(flows[slot].stage.rawValue)
    let (previous, following) = (flows[slot].previous, flows[slot].following)
    if previous >= 0 {
      flows[Int(previous)].following = following
    } else {
      chains[stage].head = following
    }
    if following >= 0 {
      flows[Int(following)].previous = previous
    } else {
      chains[stage].tail = previous
    }
  }
}
