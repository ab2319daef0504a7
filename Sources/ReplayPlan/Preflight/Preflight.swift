public import Basics
import MCP
public import Trace

/// Each distinct read-only call of a recording once: which of them does a target answer that has other data?
///
/// Theory: of the occurrences of a call the first is taken that ended well and whose values come of calls that are sent too; these
/// are made before it in the same session. A session keeps its handshake, those calls one after another without think times, and its
/// end. What needs a call that may write is not sent.
public struct Preflight: Sendable {
  /// A distinct call: a tool with arguments, after `--map`.
  public struct Call: Hashable, Sendable {
    /// Name of the tool.
    public var tool: String
    /// The recorded arguments, of the occurrence that stands for all.
    public var arguments: RawJSON?
    /// How that ended in the recording; `nil` when it does not hold it.
    public var then: Outcome?
    /// True when the target's own answers give some of the values: what is sent is not what was recorded.
    public var isBound = false
  }

  /// Where a call is among the steps of `traffic`.
  public struct Place: Hashable, Sendable {
    /// Index of the script.
    public var script: Int
    /// Index of the step.
    public var step: Int

    /// Names a place.
    public init(script: Int, step: Int) {
      self.script = script
      self.step = step
    }
  }

  /// The sessions with what is to be sent.
  public private(set) var traffic: RecordedTraffic
  /// The calls that are judged, by their place.
  public private(set) var calls: [Place: Call] = [:]
  /// Calls that take values of calls which are not sent: they may write, or the filter leaves them out.
  public private(set) var blocked: [Call] = []
  /// Distinct calls that pass the filter and may write, by tool.
  public private(set) var writes: [String: Int] = [:]

  private let options: PlanOptions

  /// What makes calls the same, as for the plan's share of distinct calls.
  private struct Key: Hashable {
    var tool: String
    var arguments: RawJSON?
  }

  /// Chooses the calls of tools that pass `options`. O(steps).
  public init(_ recorded: RecordedTraffic, _ options: PlanOptions = PlanOptions()) {
    traffic = recorded
    self.options = options
    var wanted: [Int: Set<Int>] = [:]
    for places in occurrences() {
      guard let (place, needed) = choice(among: places) else {
        blocked.append(call(at: places[0]))
        continue
      }
      calls[place] = call(at: place)
      wanted[place.script, default: []].formUnion(needed)
    }
    keep(wanted)
  }

  private func step(_ place: Place) -> ScriptStep {
    traffic.scripts[place.script].steps[place.step]
  }

  private func call(at place: Place) -> Call {
    let step = step(place)
    return Call(
      tool: step.tool ?? "", arguments: step.params?.member("arguments")?.owned, then: step.outcome,
      isBound: !step.bindings.isEmpty)
  }

  private func isSendable(_ step: ScriptStep) -> Bool {
    guard step.method == Method.toolsCall, let tool = step.tool else { return true }
    return traffic.readOnlyTools.contains(tool) && options.takes(tool: tool)
  }

  /// The places of each distinct call, in the order in which they first come.
  private mutating func occurrences() -> [[Place]] {
    var numbers: [Key: Int] = [:]
    var found: [[Place]] = []
    var written: Set<Key> = []
    for (s, script) in traffic.scripts.enumerated() {
      for (i, step) in script.steps.enumerated() where step.isCall {
        guard let tool = step.tool, options.takes(tool: tool) else { continue }
        let key = key(step, tool)
        guard isSendable(step) else {
          if written.insert(key).inserted { writes[tool, default: 0] += 1 }
          continue
        }
        let number = numbers[key] ?? found.count
        if number == found.count {
          numbers[key] = number
          found.append([])
        }
        found[number].append(Place(script: s, step: i))
      }
    }
    return found
  }

  private func key(_ step: ScriptStep, _ tool: String) -> Key {
    var step = step
    options.map.apply(to: &step)
    return Key(tool: tool, arguments: step.params?.member("arguments"))
  }

  /// The first place that ended well, else the first, whose needs are sent; and these.
  private func choice(among places: [Place]) -> (Place, Set<Int>)? {
    let good = places.filter { step($0).outcome == .ok }
    for place in good + places.filter({ step($0).outcome != .ok }) {
      let script = traffic.scripts[place.script]
      let needed = Preflight.needed(place.step, script)
      if needed.allSatisfy({ isSendable(script.steps[$0]) }) { return (place, needed) }
    }
    return nil
  }

  /// A step and all that it needs, in one go or through others.
  private static func needed(_ step: Int, _ script: SessionScript) -> Set<Int> {
    var needed: Set<Int> = []
    var left = [step]
    while let i = left.popLast() {
      guard needed.insert(i).inserted else { continue }
      left += script.needs(of: script.steps[i])
    }
    return needed
  }

  private mutating func keep(_ wanted: [Int: Set<Int>]) {
    var scripts: [SessionScript] = []
    var places: [Place: Call] = [:]
    for (s, steps) in wanted.sorted(by: { $0.key < $1.key }) {
      for i in steps {
        guard let call = calls[Place(script: s, step: i)] else { continue }
        places[Place(script: scripts.count, step: i)] = call
      }
      scripts.append(traffic.scripts[s].reduced(to: steps))
    }
    calls = places
    traffic.scripts = scripts
    traffic.length = 0
  }

  /// What a run of it is asked: each session once, `agents` at a time.
  public func options(agents: Int) -> PlanOptions {
    var options = options
    options.load = .agents(agents)
    options.count = .sessions(traffic.scripts.count)
    options.start = .cold
    return options
  }
}

extension SessionScript {
  /// The session with these steps one after another, its handshake and its end, without think times.
  fileprivate func reduced(to wanted: Set<Int>) -> SessionScript {
    var script = self
    script.start = 0
    script.length = 0
    script.isCut = false
    script.isUnfinished = false
    for method in script.serverAnswers.keys {
      for k in script.serverAnswers[method, default: []].indices {
        script.serverAnswers[method, default: []][k].think = 0
      }
    }
    let stream = script.listens
    var last: Int?
    for i in script.steps.indices {
      let isKept = script.steps[i].omission == nil && (i == stream || script.isKept(i, wanted))
      var step = script.steps[i].unhurried
      step.after = last.map { [$0] } ?? []
      if !isKept {
        step.after = []
        step.bindings = []
        step.isCall = false
        step.omission = step.omission ?? .unwanted
      } else if i != stream || script.transport == .httpSSE {
        last = i
      }
      script.steps[i] = step
    }
    return script
  }

  private func isKept(_ i: Int, _ wanted: Set<Int>) -> Bool {
    let step = steps[i]
    return wanted.contains(i) || step.taskOf.map(wanted.contains) ?? false || step.kind == .delete
      || step.method == Method.initialize || step.method == "notifications/initialized"
  }

  /// The stream without which answers, or questions that the client answered, do not come.
  private var listens: Int? {
    guard transport == .httpSSE || !serverAnswers.isEmpty else { return nil }
    return steps.firstIndex { $0.kind == .openStream }
  }
}

extension ScriptStep {
  /// The step without times and waits.
  fileprivate var unhurried: ScriptStep {
    var step = self
    step.think = 0
    step.offset = 0
    step.service = 0
    step.cancellation = nil
    step.gates = []
    for round in step.rounds.indices { step.rounds[round].think = 0 }
    return step
  }
}
