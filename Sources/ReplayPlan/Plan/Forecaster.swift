import Basics

/// Simulates a plan with the recorded service times.
struct Forecaster {
  private let population: Population
  private let readOnly: Set<String>
  private let options: PlanOptions
  private let scripts: [AgentScript]

  /// Calls that are laid out one by one; of more a sample is taken.
  static let callLimit = 1_000_000
  /// Agents that are looked at one by one, where it is known without that how many there are.
  private static let agentLimit = 1_000_000
  /// Agents that come in before the run in a second.
  private static let entryRate = 500

  init(_ population: Population, readOnly: Set<String>) {
    self.population = population
    self.readOnly = readOnly
    options = population.options
    scripts = population.scripts
  }

  private struct CallKey: Hashable {
    var tool: String
    var arguments: RawJSON?
  }

  func forecast(_ traffic: RecordedTraffic) -> Plan.Forecast {
    var forecast = Plan.Forecast()
    let used = count(&forecast)
    let stride = max(1, forecast.calls / Forecaster.callLimit)
    layOut(stride: stride, &forecast)
    addPlaces(used, traffic, &forecast)
    forecast.cutSessions = traffic.scripts.count { $0.isCut || $0.isUnfinished }
    forecast.idcBand = BurstBand(
      population, sessions: forecast.sessions, calls: forecast.calls, length: forecast.length
    ).band()
    return forecast
  }

  /// Every so many groups of copies say how long a plan takes; 1 where chance decides how many there are.
  private var countStride: Int {
    guard population.copies != nil, population.pool.count > Forecaster.agentLimit else { return 1 }
    let groups = population.pool.groups(options.burst).count
    return min(population.pool.count / Forecaster.agentLimit + 1, max(1, groups / 2))
  }

  /// What is counted exactly: agents, calls, and which scripts there are. Of very many copies that are no matter of chance the
  /// length and the mean of the agents are those of a sample.
  private func count(_ forecast: inout Plan.Forecast) -> [Bool] {
    let stride = countStride
    guard stride > 1, let copies = population.copies else { return countEach(&forecast) }
    var sample = Plan.Forecast()
    _ = countEach(every: stride, &sample)
    for (script, count) in zip(scripts, copies) {
      forecast.sessions += count
      forecast.calls += count * script.calls.count
      forecast.filtered += count * script.calls.count { $0.isSkipped }
    }
    forecast.length = sample.length
    forecast.meanAgents =
      sample.meanAgents * Double(forecast.sessions) / Double(max(1, sample.sessions))
    return copies.map { $0 > 0 }
  }

  private func countEach(every stride: Int = 1, _ forecast: inout Plan.Forecast) -> [Bool] {
    let limit = options.end ?? .max
    var used = Array(repeating: false, count: scripts.count)
    var openTime = 0.0
    let plain = scripts.map { ($0.calls.count, $0.calls.count { $0.isSkipped }) }
    population.eachLife(every: stride) { life in
      let script = scripts[life.script]
      used[life.script] = true
      forecast.sessions += 1
      if life.start < 0 {
        forecast.aged += 1
        let left = script.calls.suffix(script.calls(from: -life.start))
        forecast.calls += left.count
        forecast.filtered += left.count { $0.isSkipped }
      } else {
        forecast.calls += plain[life.script].0
        forecast.filtered += plain[life.script].1
      }
      guard life.start <= limit else { return }
      let end = Forecaster.end(life, limit)
      forecast.length = max(forecast.length, end)
      openTime += Double(end - max(0, life.start))
    }
    if forecast.length > 0 { forecast.meanAgents = openTime / Double(forecast.length) }
    return used
  }

  private static func end(_ life: Life, _ limit: Int64) -> Int64 {
    max(min(life.end, limit, life.closes ?? .max), life.start)
  }

  /// Peaks, and what depends on which calls the run's time leaves room for.
  private func layOut(stride: Int, _ forecast: inout Plan.Forecast) {
    let limit = options.end ?? .max
    var seconds: [Int64: Int] = [:]
    var calls: [(start: Int64, end: Int64)] = []
    var open: [(start: Int64, end: Int64)] = []
    var writes: [String: Int] = [:]
    var reached = scripts.map { Array(repeating: false, count: $0.session.steps.count) }
    var sent = 0
    var laid = 0
    var entry: Int64 = 0
    population.eachLife(every: stride) { life in
      laid += scripts[life.script].calls(from: -life.start)
      guard life.start <= limit else { return }
      let script = scripts[life.script]
      let last = min(limit, life.closes ?? .max)
      open.append((max(0, life.start), Forecaster.end(life, limit)))
      if life.start < 0 {
        let steps = script.session.steps
        let needed = AgentEntry(script, age: -life.start).isNeeded
        var service: Int64 = 0
        for i in steps.indices where needed[i] {
          service += steps[i].isLongLived ? 0 : steps[i].service
          if steps[i].isCall, script.skips[i] == nil { note(steps[i].tool ?? "", &writes) }
        }
        entry = max(entry, service)
      }
      for call in script.calls.suffix(script.calls(from: -life.start)) where !call.isSkipped {
        let due = life.start + call.ideal
        guard due <= last else { break }
        reached[life.script][call.step] = true
        forecast.bindings += call.bindings
        if call.bindings > 0 { forecast.boundCalls += 1 }
        if call.isHidden { forecast.hiddenCalls += 1 }
        if call.waits { forecast.waitingCalls += 1 }
        if call.waits, call.waitsOnOrder { forecast.orderCalls += 1 }
        note(call.tool, &writes)
        seconds[due / 1_000_000_000, default: 0] += 1
        calls.append((due, life.start + call.done))
        sent += 1
      }
    }
    // Groups are of unlike size: what was left out is known by its calls.
    let factor = laid > 0 ? Double(forecast.calls) / Double(laid) : 1
    func whole(_ sampled: Int) -> Int { Int((Double(sampled) * factor).rounded()) }
    forecast.sampled = 1 / factor
    forecast.bindings = whole(forecast.bindings)
    forecast.boundCalls = whole(forecast.boundCalls)
    forecast.hiddenCalls = whole(forecast.hiddenCalls)
    forecast.waitingCalls = whole(forecast.waitingCalls)
    forecast.orderCalls = whole(forecast.orderCalls)
    forecast.peakCallsPerSecond = whole(seconds.values.max() ?? 0)
    forecast.peakConcurrency = whole(PeakOverlap.of(calls))
    forecast.peakAgents = whole(PeakOverlap.of(open))
    forecast.writes = writes.map { Plan.WriteCalls(tool: $0.key, calls: whole($0.value)) }
      .sorted { ($1.calls, $0.tool) < ($0.calls, $1.tool) }
    if forecast.aged > 0 {
      let spread = max(1_000_000_000, Int64(forecast.aged / Forecaster.entryRate) * 1_000_000_000)
      forecast.entrySpread = spread
      forecast.prologue = spread + min(60_000_000_000, entry)
    }
    guard forecast.length > 0 else { return }
    forecast.callsPerSecond = Double(whole(sent)) / (Double(forecast.length) / 1e9)
    forecast.distinctCallShare = distinct(reached, among: whole(sent))
  }

  private func note(_ tool: String, _ writes: inout [String: Int]) {
    if !readOnly.contains(tool) { writes[tool, default: 0] += 1 }
  }

  private func distinct(_ reached: [[Bool]], among sent: Int) -> Double {
    var keys: Set<CallKey> = []
    for (script, reached) in zip(scripts, reached) {
      for call in script.calls where reached[call.step] {
        let step = script.session.steps[call.step]
        keys.insert(CallKey(tool: step.tool ?? "", arguments: step.params?.member("arguments")))
      }
    }
    return sent > 0 ? Double(keys.count) / Double(sent) : 0
  }

  /// What single sessions say: the longest think and idle times, and what a cap would change.
  private func addPlaces(
    _ used: [Bool], _ traffic: RecordedTraffic, _ forecast: inout Plan.Forecast
  ) {
    for (index, script) in scripts.enumerated() where used[index] {
      for (i, step) in script.session.steps.enumerated()
      where script.skips[i] == nil && script.timing.think[i] > (forecast.longestThink?.time ?? 0) {
        forecast.longestThink = Plan.Place(
          time: script.timing.think[i], session: script.session.name, n: step.n)
      }
      let sent = script.session.steps.indices.filter { script.skips[$0] == nil }
      forecast.longestIdle = max(
        forecast.longestIdle, Forecaster.longestGap(sent.map { script.timing.ideal[$0] }))
    }
    for script in traffic.scripts {
      forecast.survivedIdle = max(
        forecast.survivedIdle, Forecaster.longestGap(script.steps.map(\.offset)))
    }
    guard let think = forecast.longestThink?.time, think > Plan.Forecast.suggestedCap else {
      return
    }
    var capped = options
    capped.maxThink = Plan.Forecast.suggestedCap
    let shorter = scripts.map { AgentScript($0.session, capped).timing.length }
    var length: Int64 = 0
    population.eachLife(every: countStride) { length = max(length, $0.start + shorter[$0.script]) }
    forecast.cappedLength = length
  }

  private static func longestGap(_ times: [Int64]) -> Int64 {
    let sorted = times.sorted()
    return zip(sorted, sorted.dropFirst()).map { $1 - $0 }.max() ?? 0
  }
}
