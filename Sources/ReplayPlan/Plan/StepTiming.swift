/// When the steps of a script are due: shared by its clones, or a clone's own where think times are jittered.
///
/// `ideal` simulates the scaled script with the recorded service times: at scale 1 it gives the recorded offsets to the nanosecond.
public final class StepTiming: Sendable {
  /// Think time of each step in the run, nanoseconds; the offset from the start for a step that waits for nothing.
  public let think: [Int64]
  /// Think time of each further round of each step.
  public let roundThink: [[Int64]]
  /// When each step is due if every answer takes as long as recorded, nanoseconds since the agent's start.
  public let ideal: [Int64]
  /// When each step is over then.
  public let idealDone: [Int64]
  /// How long the client goes on listening when that is all it does in the end, nanoseconds.
  public let farewell: Int64
  /// When the last step is over then, and the client has listened to the end.
  public let length: Int64

  /// What a recorded step waited for.
  struct Waits: Sendable {
    var after: [Int]
    var gates: [Int]
  }

  /// Lays out steps that waited for `recorded`; the waits that the options left are in the steps themselves. `drawn` stands for
  /// the recorded think times.
  init(
    _ session: SessionScript, _ recorded: [Waits], _ options: PlanOptions, drawn: [Int64]? = nil
  ) {
    var think: [Int64] = []
    var rounds: [[Int64]] = []
    var ideal: [Int64] = []
    var done: [Int64] = []
    for (i, step) in session.steps.enumerated() {
      let after = recorded[i].after
      let own = drawn?[i] ?? (after.isEmpty ? step.offset : step.think)
      // When a server is polled is the server's wish.
      var pause = step.isPoll && !after.isEmpty ? step.think : options.scaledThink(own)
      let pauses = step.rounds.map { options.scaledThink($0.think) }
      var due = (after.map { done[$0] }.max() ?? 0) + pause
      for gate in recorded[i].gates { due = max(due, done[gate]) }
      if step.after.count != after.count { pause = due - (step.after.map { done[$0] }.max() ?? 0) }
      if options.coupling == .strict, !step.after.isEmpty, !step.isPoll { pause = 0 }
      think.append(pause)
      rounds.append(pauses)
      ideal.append(due)
      done.append(due + step.service + pauses.reduce(0, +))
    }
    self.think = think
    roundThink = rounds
    self.ideal = ideal
    idealDone = done
    let isListening = session.steps.last?.isLongLived ?? false
    farewell = isListening ? options.scaledThink(session.steps.last?.listening ?? 0) : 0
    length = max(done.max() ?? 0, (ideal.last ?? 0) + farewell)
  }
}
