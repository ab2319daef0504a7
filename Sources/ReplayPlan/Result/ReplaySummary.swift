public import Basics
public import Trace

/// What a run showed: the figures of `summary.json`. Times are milliseconds.
///
/// `plan.calls` = `sent` + `skipped` + `aborted`, and the outcomes sum up to `sent`. A figure that this run could not give is
/// `nil`: shares of nothing, and quantiles with fewer than ten samples beyond them.
public struct ReplaySummary: Hashable, Sendable {
  /// False when the run does not show what it was to show.
  public var isValid = true
  /// True when it was near that.
  public var isDegraded = false
  /// One sentence each: cause and cure.
  public var reasons: [String] = []
  /// What was planned.
  public var plan = PlanFigures()
  /// Calls sent.
  public var sent = 0
  /// Calls that were left out by reason.
  public var skippedBy: [SkipReason: Int] = [:]
  /// Calls that an interruption left unsent.
  public var aborted = 0
  /// Calls before the run proper, which gave agents that begin in mid-life what they need; in no other figure.
  public var prologue = CallFigures()
  /// Agents of the run.
  public var agents = AgentFigures()
  /// How sent calls ended.
  public var outcomes: [Outcome: Int] = [:]
  /// How they ended then and now.
  public var outcomeChange = OutcomeChange()
  /// Share of sent calls that succeeded: `ok`, or `tool_error` where the recording had one too.
  public var successRatio: Double?
  /// Share of sent calls that failed now and succeeded in the recording.
  public var newErrorRatio: Double?
  /// Latency of calls.
  public var latency = Latency()
  /// Share of sent calls answered with success within 400 ms of `sent`.
  public var within400ms: Double?
  /// Calls per second.
  public var throughput = Throughput()
  /// Written minus due: the generator's fault.
  public var lag = Spread()
  /// The 99th percentile of lag among the requests of the busiest 1 % of 100 ms windows, at least one.
  public var busiestLag: Double?
  /// When bytes of answers were read minus when the kernel had them: the generator's fault too. Of a sample of connections.
  public var readLag = Spread()
  /// Due minus ideal: the server's doing; below zero when it is faster than the recorded one was.
  public var slip = Spread()
  /// Share of one processor that the busiest loop took.
  public var loopUtilisation: Double?
  /// Processor time of the generator's loops for each call that was sent, microseconds; what agents do besides calls is in it.
  public var cpuPerCall: Double?
  /// Realised minus planned think time, without sign.
  public var thinkError = Spread()
  /// Whether the run was like the recording.
  public var fidelity = Fidelity()
  /// Tokens that agents had spent when calls failed.
  public var tokensAtRisk = TokensAtRisk()
  /// Calls by tool.
  public var tools: [String: CallFigures] = [:]
  /// Calls by their turn in the session; late turns are taken together.
  public var turns: [(name: String, figures: CallFigures)] {
    get { zip(turnNames, turnFigures).map { ($0, $1) } }
    set { (turnNames, turnFigures) = (newValue.map(\.name), newValue.map(\.figures)) }
  }
  private var turnNames: [String] = []
  private var turnFigures: [CallFigures] = []
  /// Calls by stage of the load, in order; empty without stages.
  public var stages: [StageFigures] = []
  /// A few of each class of failure.
  public var samples: [FailureSample] = []
  /// Answers compared with the recorded ones.
  public var verification = Verification()
  /// What the user demanded, and whether it held.
  public var thresholds: [ThresholdResult] = []
  /// Other requests by method.
  public var requests: [String: Int] = [:]
  /// Revisions of the protocol, then and now.
  public var revisions = RevisionFigures()
  /// The options of the run.
  public var options = JSONValue.object([])
  /// The machine and program.
  public var environment = JSONValue.object([])

  /// Creates an empty summary.
  public init() {}

  /// Calls that were left out.
  public var skipped: Int { skippedBy.values.reduce(0, +) }
}
