public import MCP
import Trace

/// A session's script under a plan's options: what all its clones share.
public final class AgentScript: Sendable {
  /// What the clones do; waits and bindings are those that the options left, and answers to the server take the run's time.
  public let session: SessionScript
  /// When its steps are due, but for the jitter of clones.
  public let timing: StepTiming
  /// Why a step is not sent.
  public let skips: [SkipReason?]
  /// For each step those that wait for it.
  public let successors: [[Int]]
  /// Steps whose `nextCursor` a later one takes.
  let feedsCursors: Set<Int>
  /// Calls whose tasks the recorded client asked after.
  let askedAfter: Set<Int>
  /// For each step the values that later ones take from its answer.
  let wanted: [[Int]]
  /// Steps of whose answers a header is wanted.
  let feedsHeaders: Set<Int>
  /// For each step where it would say a surrogate.
  public let hidden: [ValuePath?]
  let onUnresolved: PlanOptions.OnUnresolved
  /// True when nothing is due before its ideal offset.
  let holdsIdeal: Bool
  /// The calls in order of their ideal offsets.
  let calls: [PlannedCall]
  private let recorded: [StepTiming.Waits]
  private let options: PlanOptions
  private let thinkTable: ThinkTable

  /// What a forecast asks of a call, apart from its step.
  struct PlannedCall: Sendable {
    var step: Int
    var ideal: Int64
    var done: Int64
    /// True when the filter leaves it out.
    var isSkipped: Bool
    var isHidden: Bool
    var waits: Bool
    var waitsOnOrder: Bool
    var bindings: Int
    var tool: String
  }

  /// Lays a script out in time; `thinkTable` is what jitter draws from.
  public convenience init(_ recorded: SessionScript, _ options: PlanOptions) {
    self.init(recorded, options, thinkTable: ThinkTable())
  }

  init(_ source: SessionScript, _ options: PlanOptions, thinkTable: ThinkTable) {
    var session = source
    for i in session.steps.indices {
      options.map.apply(to: &session.steps[i])
      guard session.steps[i].method == Method.toolsCall else { continue }
      session.steps[i].hidden.removeAll { place in
        options.fed.contains { place.steps.starts(with: $0.steps) }
      }
    }
    for method in session.serverAnswers.keys {
      for k in session.serverAnswers[method, default: []].indices {
        let think = session.serverAnswers[method, default: []][k].think
        session.serverAnswers[method, default: []][k].think = options.scaledThink(think)
      }
    }
    if !options.correlates {
      for i in session.steps.indices { session.steps[i].unbind() }
    }
    let recorded = session.steps.map { StepTiming.Waits(after: $0.after, gates: $0.gates) }
    let keepsOrder = options.after == .order && options.coupling != .strict
    var skips: [SkipReason?] = []
    for (i, step) in session.steps.enumerated() {
      skips.append(AgentScript.skip(step, session, options, skips))
      guard !keepsOrder else { continue }
      if let needed = AgentScript.needed(step, session) { session.steps[i].after = needed }
      // A client whose calls are on their way does not end the session.
      if step.kind == .delete { session.steps[i].gates = Array(0..<i) }
    }
    let timing = StepTiming(session, recorded, options)
    var successors: [[Int]] = Array(repeating: [], count: session.steps.count)
    for (i, step) in session.steps.enumerated() {
      for earlier in Set(step.after + step.gates) { successors[earlier].append(i) }
    }
    var wanted: [[Int]] = Array(repeating: [], count: session.steps.count)
    for (k, value) in session.values.enumerated() { wanted[value.step].append(k) }
    calls = session.steps.indices.filter { session.steps[$0].isCall }
      .map { i in
        let step = session.steps[i]
        return PlannedCall(
          step: i, ideal: timing.ideal[i], done: timing.idealDone[i], isSkipped: skips[i] != nil,
          isHidden: step.hiddenPlace != nil, waits: !step.after.isEmpty,
          waitsOnOrder: step.waitsOnOrderAlone, bindings: step.bindings.count,
          tool: step.tool ?? "")
      }
      .sorted { ($0.ideal, $0.step) < ($1.ideal, $1.step) }
    self.session = session
    self.timing = timing
    self.skips = skips
    self.successors = successors
    self.wanted = wanted
    self.recorded = recorded
    self.options = options
    self.thinkTable = thinkTable
    holdsIdeal = options.coupling != .gap
    feedsCursors = Set(session.steps.compactMap(\.cursorFrom))
    askedAfter = Set(session.steps.compactMap(\.taskOf))
    feedsHeaders = Set(session.values.filter { $0.source.path.header != nil }.map(\.step))
    hidden = session.steps.map(\.hiddenPlace)
    onUnresolved = options.onUnresolved
  }

  /// When the steps of the clone with that seed are due, which was `age` old when it came in. O(steps) where think times are
  /// jittered.
  public func timing(seed: UInt64, age: Int64 = 0) -> StepTiming {
    guard options.thinkJitter != .none else { return timing }
    var random = SplitMix64(seed, .think)
    var drawn: [Int64] = []
    // By how much the first call of the present turn is moved.
    var moved: (turn: Int, by: Int64) = (-1, 0)
    for (i, step) in session.steps.enumerated() {
      let waits = !self.recorded[i].after.isEmpty
      let recorded = waits ? step.think : step.offset
      guard waits, step.isCall, timing.ideal[i] >= age else {
        drawn.append(recorded)
        continue
      }
      if step.turn != moved.turn {
        var asRecorded = step
        asRecorded.after = self.recorded[i].after
        let choices = ThinkTable.transition(to: asRecorded, in: session).map { thinkTable[$0] }
        let think = options.thinkJitter.drawn(recorded, choices ?? [], &random)
        moved = (step.turn, think - recorded)
      }
      drawn.append(max(0, recorded + moved.by))
    }
    return StepTiming(session, recorded, options, drawn: drawn)
  }

  /// Number of calls of a clone in the sense of the results: what it did before it came in is not among them.
  public func callCount(of agent: PlannedAgent) -> Int { calls(from: agent.age) }

  /// The steps that those calls are.
  public func callSteps(of agent: PlannedAgent) -> [Int] {
    calls.suffix(callCount(of: agent)).map(\.step)
  }

  /// Number of calls that are due from `from` on, nanoseconds since a clone's start. O(log calls).
  func calls(from: Int64) -> Int {
    var (low, high) = (0, calls.count)
    while low < high {
      let middle = (low + high) / 2
      if calls[middle].ideal < from { low = middle + 1 } else { high = middle }
    }
    return calls.count - low
  }

  /// What an agent's request needs of what it waits for when order alone is no reason; `nil` when that is all of it.
  private static func needed(_ step: ScriptStep, _ session: SessionScript) -> [Int]? {
    guard step.kind == .request, step.afterBy == .order || step.afterBy == .uses else { return nil }
    let sources = session.sources(of: step)
    let needed = step.after.filter(sources.contains)
    return needed.count == step.after.count ? nil : needed
  }

  /// A call is left out by the filter, and with it whatever needs a value of its answer.
  private static func skip(
    _ step: ScriptStep, _ session: SessionScript, _ options: PlanOptions,
    _ earlier: [SkipReason?]
  ) -> SkipReason? {
    if step.method == "tools/call", !options.takes(tool: step.tool ?? "") { return .filter }
    guard options.onUnresolved != .recorded else { return nil }
    return session.sources(of: step).lazy.compactMap { earlier[$0] }.first
  }
}

/// Why a planned call was not sent.
public enum SkipReason: String, CaseIterable, Hashable, Sendable {
  /// `--only` or `--skip`, or it needs the answer of a call that they left out.
  case filter
  /// Writing is not allowed.
  case writeGuard = "write_guard"
  /// A value it needs is not there.
  case unresolved
  /// An earlier failure, by `--on-error`, or the session was lost.
  case afterError = "after_error"
  /// The run's time was over.
  case duration
}
