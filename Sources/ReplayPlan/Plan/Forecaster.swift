import Basics

/// Simulates a plan with the recorded service times.
struct Forecaster {
  let options: PlanOptions
  let scripts: [AgentScript]
  let agents: [PlannedAgent]
  let open: Int?
  let readOnly: Set<String>

  private struct CallKey: Hashable {
    var tool: String
    var arguments: RawJSON?
  }

  func forecast() -> Plan.Forecast {
    var forecast = Plan.Forecast()
    let lives = lives()
    forecast.sessions = lives.count
    countCalls(lives, &forecast)
    findPeaks(lives, &forecast)
    let used = Set(lives.map(\.script))
    for index in used.sorted() {
      let script = scripts[index]
      for (i, step) in script.session.steps.enumerated()
      where script.skips[i] == nil && script.think[i] > (forecast.longestThink?.time ?? 0) {
        forecast.longestThink = (script.think[i], script.session.name, step.n)
      }
    }
    if let think = forecast.longestThink?.time, think > Plan.Forecast.suggestedCap {
      var capped = options
      capped.maxThink = Plan.Forecast.suggestedCap
      let shorter = scripts.map { AgentScript($0.session, capped).length }
      forecast.cappedLength = lives.map { $0.start + shorter[$0.script] }.max()
    }
    return forecast
  }

  private struct Life {
    var script: Int
    var start: Int64
    var end: Int64
  }

  /// Start and end of every agent; a replacement starts when an open one ends.
  private func lives() -> [Life] {
    let limit = options.duration ?? .max
    guard let open else {
      return agents.map {
        Life(script: $0.script, start: $0.start, end: $0.start + scripts[$0.script].length)
      }
    }
    var lives: [Life] = []
    var slots: [Int64] = agents.prefix(open).map(\.start)
    guard !slots.isEmpty else { return [] }
    var index = 0
    // The cap holds an endless plan of sessions without length; no one starts more in a run.
    while options.isEndless ? lives.count < 10_000_000 : index < agents.count {
      let slot =
        index < slots.count
        ? index : slots.indices.min { slots[$0] < slots[$1] } ?? 0
      let start = slots[slot]
      guard start < limit else { break }
      let script = agents[index % agents.count].script
      let end = start + max(1, scripts[script].length)
      lives.append(Life(script: script, start: start, end: end))
      slots[slot] = end
      index += 1
    }
    return lives
  }

  private func countCalls(_ lives: [Life], _ forecast: inout Plan.Forecast) {
    let limit = options.duration ?? .max
    var distinct: Set<CallKey> = []
    var writes: [String: Int] = [:]
    for life in lives {
      let script = scripts[life.script]
      for (i, step) in script.session.steps.enumerated() where step.isCall {
        forecast.calls += 1
        if script.skips[i] != nil {
          forecast.filtered += 1
          continue
        }
        guard life.start + script.ideal[i] <= limit else { continue }
        forecast.bindings += step.bindings.count
        if !step.bindings.isEmpty { forecast.boundCalls += 1 }
        if script.hidden[i] != nil { forecast.hiddenCalls += 1 }
        let tool = step.tool ?? ""
        distinct.insert(CallKey(tool: tool, arguments: step.params?.member("arguments")))
        if !readOnly.contains(tool) { writes[tool, default: 0] += 1 }
      }
    }
    let sent = forecast.calls - forecast.filtered
    forecast.distinctCallShare = sent > 0 ? Double(distinct.count) / Double(sent) : 0
    forecast.writes = writes.map { Plan.WriteCalls(tool: $0.key, calls: $0.value) }
      .sorted { ($1.calls, $0.tool) < ($0.calls, $1.tool) }
  }

  private func findPeaks(_ lives: [Life], _ forecast: inout Plan.Forecast) {
    let limit = options.duration ?? .max
    var seconds: [Int64: Int] = [:]
    var calls: [(at: Int64, change: Int)] = []
    var open: [(at: Int64, change: Int)] = []
    var openTime = 0.0
    var sent = 0
    for life in lives where life.start <= limit {
      let script = scripts[life.script]
      let end = min(life.end, max(limit, life.start))
      forecast.length = max(forecast.length, end)
      open.append((life.start, 1))
      open.append((end, -1))
      openTime += Double(end - life.start)
      for (i, step) in script.session.steps.enumerated()
      where step.isCall && script.skips[i] == nil && life.start + script.ideal[i] <= limit {
        let due = life.start + script.ideal[i]
        seconds[due / 1_000_000_000, default: 0] += 1
        calls.append((due, 1))
        calls.append((max(due + 1, life.start + script.idealDone[i]), -1))
        sent += 1
      }
    }
    forecast.peakCallsPerSecond = seconds.values.max() ?? 0
    forecast.peakConcurrency = Forecaster.peak(&calls)
    forecast.peakAgents = Forecaster.peak(&open)
    guard forecast.length > 0 else { return }
    forecast.meanAgents = openTime / Double(forecast.length)
    forecast.callsPerSecond = Double(sent) / (Double(forecast.length) / 1e9)
  }

  private static func peak(_ changes: inout [(at: Int64, change: Int)]) -> Int {
    changes.sort { ($0.at, $0.change) < ($1.at, $1.change) }
    var (now, peak) = (0, 0)
    for change in changes {
      now += change.change
      peak = max(peak, now)
    }
    return peak
  }
}
