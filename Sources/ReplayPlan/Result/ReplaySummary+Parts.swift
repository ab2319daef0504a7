import Basics
public import Trace

/// The parts of a summary.
extension ReplaySummary {
  /// What was planned.
  public struct PlanFigures: Hashable, Sendable {
    /// SHA-256 of the plan.
    public var digest = ""
    /// Seed of all chance.
    public var seed: UInt64 = 0
    /// Agents.
    public var sessions = 0
    /// Calls.
    public var calls = 0
    /// Sessions of the recording.
    public var sourceSessions = 0
    /// Distinct calls (tool and arguments) among all.
    public var distinctCallShare = 0.0
  }

  /// Revisions of the protocol, then and now.
  public struct RevisionFigures: Hashable, Sendable {
    /// Recorded sessions by revision.
    public var recorded: [String: Int] = [:]
    /// Recorded sessions that were told in another revision, by that one.
    public var told: [String: Int] = [:]
    /// What agents did not send because the target's revision has nothing like it, by method.
    public var untold: [String: Int] = [:]

    /// Creates zeros.
    public init() {}
  }

  /// Agents of the run.
  public struct AgentFigures: Hashable, Sendable {
    /// Most open at once.
    public var peak = 0
    /// Open on the average.
    public var mean = 0.0
    /// The same with the recorded service times.
    public var expectedMean = 0.0
    /// How many began.
    public var started = 0
    /// How many came to their end.
    public var finished = 0
  }

  /// Outcomes then and now; calls whose recorded outcome is unknown are in none.
  public struct OutcomeChange: Hashable, Sendable {
    /// Succeeded both times.
    public var okOK = 0
    /// Failed only now.
    public var okErr = 0
    /// Failed only then.
    public var errOK = 0
    /// Failed both times.
    public var errErr = 0

    /// Creates zeros.
    public init() {}
  }

  /// Quantiles of a distribution.
  public struct Quantiles: Hashable, Sendable {
    /// Samples.
    public var n = 0
    /// Values at 50, 90, 95, 99 and 99.9 %.
    public var p50: Double?
    /// 90 %.
    public var p90: Double?
    /// 95 %.
    public var p95: Double?
    /// 99 %.
    public var p99: Double?
    /// 99.9 %.
    public var p999: Double?
    /// Largest.
    public var max: Double?
    /// Average.
    public var mean: Double?
    /// Share from which on values are infinite, where failures count as such.
    public var infiniteFrom: Double?

    /// Creates the distribution of nothing.
    public init() {}
  }

  /// Median, tail and maximum.
  public struct Spread: Hashable, Sendable {
    /// 50 %.
    public var p50: Double?
    /// 99 %.
    public var p99: Double?
    /// Largest.
    public var max: Double?

    /// Creates the spread of nothing.
    public init() {}
  }

  /// Latency of calls.
  public struct Latency: Hashable, Sendable {
    /// From when the call was due, to the last byte as all but `firstByte`.
    public var fromDue = Quantiles()
    /// From when it was sent.
    public var fromSent = Quantiles()
    /// From when it was sent to the first byte of the answer.
    public var firstByte = Quantiles()
    /// From its ideal offset.
    public var fromIntended = Quantiles()
    /// From sending, with failures as infinite.
    public var adjusted = Quantiles()

    /// Creates the latency of nothing.
    public init() {}
  }

  /// Calls per second.
  public struct Throughput: Hashable, Sendable {
    /// From the first call's due time to the last one's end.
    public var callsPerSecond: Double?
    /// In the busiest second.
    public var peak = 0
    /// With the recorded service times.
    public var planned = 0.0
  }

  /// Whether the run was like the recording.
  public struct Fidelity: Hashable, Sendable {
    /// Share of sessions whose calls were all sent, each after the answers it waits for.
    public var chainsExact: Double?
    /// Recorded sessions that the protocol names.
    public var sessionsExplicit = 0
    /// Recorded sessions that were inferred.
    public var sessionsInferred = 0
    /// Confidence that nine in ten sessions have at least.
    public var confidenceP10: Double?
    /// Share of waiting calls that wait on nothing but the recorded order.
    public var waitsOnOrder: Double?
    /// Root mean square of sent minus due per 100 ms, as a share of the busiest 100 ms.
    public var executionRMSE: Double?
    /// Index of dispersion of requests in windows of 0.1, 1, 10 and 60 s; `nil` below 30 windows.
    public var idc: [(window: String, value: Double?)] {
      zip(IndexOfDispersion.windows.map(\.name), idcValues).map { ($0, $1) }
    }
    /// The same by place.
    public var idcValues: [Double?] = [nil, nil, nil, nil]
    /// Where that of a faithful run lies, by place.
    public var idcBand: [ClosedRange<Double>?] = [nil, nil, nil, nil]
    /// Windows of 0.1 s.
    public var windows = 0
    /// Most calls in flight.
    public var peakConcurrency = 0

    /// Creates an unknown fidelity.
    public init() {}
  }

  /// Calls of one kind.
  public struct CallFigures: Hashable, Sendable {
    /// Calls sent.
    public var calls = 0
    /// How they ended.
    public var outcomes: [Outcome: Int] = [:]
    /// Those that succeeded.
    public var succeeded = 0
    /// Those that succeeded within 400 ms.
    public var within400ms = 0
    /// Latency from sending.
    public var latency = Quantiles()

    /// Creates zeros.
    public init() {}
  }

  /// Calls of one stage of the load.
  public struct StageFigures: Hashable, Sendable {
    /// From when to when, nanoseconds of the run.
    public var from: Int64
    /// Its end.
    public var to: Int64
    /// Calls that were sent in it.
    public var calls: CallFigures

    /// Describes a stage.
    public init(from: Int64, to: Int64, calls: CallFigures) {
      self.from = from
      self.to = to
      self.calls = calls
    }
  }
}
