public import MCP
import Trace

/// A session's script under a plan's options: what all its clones share.
///
/// `ideal` simulates the scaled script with the recorded service times: at scale 1 it gives the recorded offsets to the nanosecond.
public final class AgentScript: Sendable {
  /// What the clones do; waits and bindings are those that the options left, and answers to the server take the run's time.
  public let session: SessionScript
  /// Think time of each step in the run, nanoseconds; the offset from the start for a step that waits for nothing.
  public let think: [Int64]
  /// Think time of each further round of each step.
  public let roundThink: [[Int64]]
  /// When each step is due if every answer takes as long as recorded, nanoseconds since the agent's start.
  public let ideal: [Int64]
  /// When each step is over then.
  public let idealDone: [Int64]
  /// When the last step is over then.
  public let length: Int64
  /// Why a step is not sent.
  public let skips: [SkipReason?]
  /// For each step those that wait for it.
  public let successors: [[Int]]
  /// Steps whose `nextCursor` a later one takes.
  let feedsCursors: Set<Int>
  /// For each step the values that later ones take from its answer.
  let wanted: [[Int]]
  /// Steps of whose answers a header is wanted.
  let feedsHeaders: Set<Int>
  /// For each step where it would say a surrogate.
  public let hidden: [ValuePath?]
  let onUnresolved: PlanOptions.OnUnresolved

  /// Lays a script out in time.
  public init(_ recorded: SessionScript, _ options: PlanOptions) {
    var session = recorded
    for i in session.steps.indices { options.map.apply(to: &session.steps[i]) }
    for method in session.serverAnswers.keys {
      for k in session.serverAnswers[method, default: []].indices {
        let think = session.serverAnswers[method, default: []][k].think
        session.serverAnswers[method, default: []][k].think = options.scaledThink(think)
      }
    }
    if !options.correlates {
      session.values = []
      for i in session.steps.indices { session.steps[i].bindings = [] }
    }
    var think: [Int64] = []
    var rounds: [[Int64]] = []
    var ideal: [Int64] = []
    var done: [Int64] = []
    var skips: [SkipReason?] = []
    for (i, step) in session.steps.enumerated() {
      var pause = options.scaledThink(step.after.isEmpty ? step.offset : step.think)
      let pauses = step.rounds.map { options.scaledThink($0.think) }
      var due = (step.after.map { done[$0] }.max() ?? 0) + pause
      for gate in step.gates { due = max(due, done[gate]) }
      if options.after == .uses, let needed = AgentScript.needed(step, session) {
        session.steps[i].after = needed
        pause = due - (needed.map { done[$0] }.max() ?? 0)
      }
      if options.after == .uses, step.kind == .delete {
        // A client whose calls are on their way does not end the session.
        session.steps[i].gates = Array(0..<i)
      }
      think.append(pause)
      rounds.append(pauses)
      ideal.append(due)
      done.append(due + step.service + pauses.reduce(0, +))
      skips.append(AgentScript.skip(step, session, options, skips))
    }
    var successors: [[Int]] = Array(repeating: [], count: session.steps.count)
    for (i, step) in session.steps.enumerated() {
      for earlier in Set(step.after + step.gates) { successors[earlier].append(i) }
    }
    var wanted: [[Int]] = Array(repeating: [], count: session.steps.count)
    for (k, value) in session.values.enumerated() { wanted[value.step].append(k) }
    self.session = session
    self.think = think
    roundThink = rounds
    self.ideal = ideal
    idealDone = done
    length = done.max() ?? 0
    self.skips = skips
    self.successors = successors
    self.wanted = wanted
    feedsCursors = Set(session.steps.compactMap(\.cursorFrom))
    feedsHeaders = Set(session.values.filter { $0.source.path.header != nil }.map(\.step))
    hidden = session.steps.map(\.hiddenPlace)
    onUnresolved = options.onUnresolved
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
