/// A client that comes in when its session is under way.
extension AgentMachine {
  /// Sets what is past as over, at the times of the simulation, and what has to be made up for as due at once.
  mutating func enter(_ now: Int64) {
    entered = now
    let entry = AgentEntry(script, age: -start)
    for i in states.indices where script.timing.ideal[i] < entry.age {
      if entry.isNeeded[i] {
        states[i].isPrologue = true
        continue
      }
      states[i].phase = .over
      states[i].done = start + timing.idealDone[i]
      left -= 1
      for next in script.successors[i] {
        let step = script.session.steps[next]
        if step.after.contains(i) {
          states[next].ready = max(states[next].ready, states[i].done)
        }
        if step.gates.contains(i) { states[next].gate = max(states[next].gate, states[i].done) }
        states[next].missing -= 1
      }
    }
  }

  /// A step of the prologue is over: for those that wait for it, when it would have been, unless it came later.
  mutating func came(_ i: Int, _ at: Int64) -> Int64 {
    entered = max(entered, at)
    return max(at, start + timing.idealDone[i])
  }
}
