/// A session's script under a plan's options: what all its clones share.
///
/// `ideal` simulates the scaled script with the recorded service times: at scale 1 it gives the recorded offsets to the nanosecond.
public final class AgentScript: Sendable {
  /// What the recorded client did.
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

  /// Lays a script out in time.
  public init(_ session: SessionScript, _ options: PlanOptions) {
    self.session = session
    var think: [Int64] = []
    var rounds: [[Int64]] = []
    var ideal: [Int64] = []
    var done: [Int64] = []
    var skips: [SkipReason?] = []
    var successors: [[Int]] = Array(repeating: [], count: session.steps.count)
    for (i, step) in session.steps.enumerated() {
      let pause = options.scaledThink(step.after.isEmpty ? step.offset : step.think)
      let pauses = step.rounds.map { options.scaledThink($0.think) }
      var due = (step.after.map { done[$0] }.max() ?? 0) + pause
      for gate in step.gates { due = max(due, done[gate]) }
      think.append(pause)
      rounds.append(pauses)
      ideal.append(due)
      done.append(due + step.service + pauses.reduce(0, +))
      skips.append(AgentScript.skip(step, options, skips))
      for earlier in Set(step.after + step.gates) { successors[earlier].append(i) }
    }
    self.think = think
    roundThink = rounds
    self.ideal = ideal
    idealDone = done
    length = done.max() ?? 0
    self.skips = skips
    self.successors = successors
    feedsCursors = Set(session.steps.compactMap(\.cursorFrom))
  }

  /// A call is left out by the filter, and with it whatever needs a value of its answer.
  private static func skip(
    _ step: ScriptStep, _ options: PlanOptions, _ earlier: [SkipReason?]
  ) -> SkipReason? {
    if step.method == "tools/call", !options.takes(tool: step.tool ?? "") { return .filter }
    return step.uses.lazy.compactMap { earlier[$0] }.first
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
