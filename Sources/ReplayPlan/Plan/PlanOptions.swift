/// What the user asked of a plan. Times are nanoseconds.
public struct PlanOptions: Hashable, Sendable {
  /// How many agents.
  public enum Load: Hashable, Sendable {
    /// So many times the recorded sessions, started as they were recorded.
    case multiply(Double)
    /// So many open at once; one that ends is replaced.
    case agents(Int, multiply: Double?)
  }

  /// How copies of one session lie to each other.
  public enum Burst: String, CaseIterable, Hashable, Sendable {
    /// Every copy has its own phase.
    case independent
    /// Copies start together.
    case lockstep
  }

  /// How sessions are chosen where not all are taken equally often.
  public enum Resample: String, CaseIterable, Hashable, Sendable {
    /// Every session floor(N) times, the rest drawn, stratified by client.
    case balanced
  }

  /// Which recorded waits hold.
  public enum After: String, CaseIterable, Hashable, Sendable {
    /// All.
    case order
    /// Those for a value or by the protocol; what merely came later is sent at its ideal offset.
    case uses
  }

  /// What follows when this server's answers do not give a value that a request needs.
  public enum OnUnresolved: String, CaseIterable, Hashable, Sendable {
    /// The request is left out, and with it what needs its answer.
    case skipDependents = "skip-dependents"
    /// The recorded value is sent.
    case recorded
    /// The session ends.
    case endSession = "end-session"
  }

  /// How many agents.
  public var load = Load.multiply(1)
  /// Factor on think times and on the gaps between session starts.
  public var timeScale = 1.0
  /// Longest think time in the run, after scaling.
  public var maxThink: Int64?
  /// How copies of one session lie to each other.
  public var burst = Burst.independent
  /// How sessions are chosen.
  public var resample = Resample.balanced
  /// Largest random delay of a session's start.
  public var jitter: Int64 = 0
  /// Window in which a copy's start moves; at most the recording's length.
  public var phaseWindow: Int64 = 900_000_000_000
  /// Seed of all chance.
  public var seed: UInt64 = 1
  /// When nothing more is sent.
  public var duration: Int64?
  /// Only calls of tools that match one of these; empty means all.
  public var only: [ToolPattern] = []
  /// No calls of tools that match one of these.
  public var skip: [ToolPattern] = []
  /// Whether calls of tools that are not known to be read-only are sent.
  public var allowsWrites = false
  /// Recorded values that are replaced before all else.
  public var map = ValueMap()

  /// Whether requests take the values of this run's answers where the recording says so.
  public var correlates = true
  /// Which recorded waits hold.
  public var after = After.order
  /// What follows when a value is not there.
  public var onUnresolved = OnUnresolved.skipDependents

  /// Creates the default: the recording as it was.
  public init() {}

  /// True when agents are replaced until the time is over.
  var isEndless: Bool {
    if case .agents(_, multiply: nil) = load { duration != nil } else { false }
  }

  /// Returns whether calls of `tool` pass `only` and `skip`.
  public func takes(tool: String) -> Bool {
    (only.isEmpty || only.contains { $0.matches(tool) }) && !skip.contains { $0.matches(tool) }
  }

  /// Returns a duration of the recording as it is in the run.
  func scaled(_ nanoseconds: Int64) -> Int64 {
    timeScale == 1 ? nanoseconds : Int64(clamping: Double(nanoseconds) * timeScale)
  }

  /// Returns a think time of the recording as it is in the run.
  func scaledThink(_ nanoseconds: Int64) -> Int64 {
    min(scaled(nanoseconds), maxThink ?? .max)
  }
}

extension Int64 {
  /// Converts a double that may be out of range or not a number.
  init(clamping value: Double) {
    if value.isNaN {
      self = 0
    } else if value >= 0x1p62 {
      self = 1 << 62
    } else if value <= -0x1p62 {
      self = -(1 << 62)
    } else {
      self = Int64(value)
    }
  }
}
