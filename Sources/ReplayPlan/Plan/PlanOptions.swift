public import MCP

/// What the user asked of a plan. Times are nanoseconds.
public struct PlanOptions: Hashable, Sendable {
  /// How many sessions there are in all.
  public enum Count: Hashable, Sendable {
    /// So many times the recorded ones.
    case multiply(Double)
    /// So many.
    case sessions(Int)
  }

  /// When a request is due.
  public enum Coupling: String, CaseIterable, Hashable, Sendable {
    /// When all it waits for was answered in this run, and the think time has passed.
    case gap
    /// As `gap`, but not before its ideal offset.
    case max
    /// At its ideal offset, whatever was answered; what takes a value of an answer, or waits by the protocol, waits for that.
    case strict
  }

  /// Where agents are in their sessions when the run begins.
  public enum Start: String, CaseIterable, Hashable, Sendable {
    /// At their beginning: the load grows as the recording's did.
    case cold
    /// Anywhere: the load is there from the beginning on.
    case stationary
  }

  /// How sessions are chosen where not all are taken equally often.
  public enum Resample: String, CaseIterable, Hashable, Sendable {
    /// Every session floor(N) times, the rest drawn, stratified by client.
    case balanced
    /// Every copy is drawn with replacement, stratified by client.
    case bootstrap
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

  /// How agents come and go.
  public var load = Load.recorded
  /// How many sessions in all; `nil` is each once, or as many as the time takes.
  public var count: Count?
  /// The recording begins anew when it is through, until the time is over.
  public var loops = false
  /// When a request is due.
  public var coupling = Coupling.gap
  /// Factor on think times.
  public var thinkScale = 1.0
  /// Factor on the gaps between session starts.
  public var arrivalScale = 1.0
  /// Longest think time in the run, after scaling.
  public var maxThink: Int64?
  /// How a copy's think times differ from the recorded ones.
  public var thinkJitter = ThinkJitter.none
  /// How copies of one session lie to each other.
  public var burst = Burst.independent
  /// How sessions are chosen.
  public var resample = Resample.balanced
  /// Largest random delay of a session's start.
  public var jitter: Int64 = 0
  /// Window in which a copy's start moves; at most the recording's length.
  public var phaseWindow: Int64 = 900_000_000_000
  /// Where agents are when the run begins; `nil` is stationary where the run is shorter than the recording.
  public var start: Start?
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

  /// Places in the params of calls that a feed fills; what the recording hides there is no hindrance.
  public var fed: [ValuePath] = []

  /// Whether requests take the values of this run's answers where the recording says so.
  public var correlates = true
  /// Which recorded waits hold.
  public var after = After.order
  /// What follows when a value is not there.
  public var onUnresolved = OnUnresolved.skipDependents

  /// Creates the default: the recording as it was.
  public init() {}

  /// When nothing more is sent: `duration`, or when the last stage is over.
  public var end: Int64? {
    guard case .stages(let stages) = load else { return duration }
    let length = stages.reduce(0) { $0 + $1.duration }
    return min(length, duration ?? .max)
  }

  /// True when the recorded sessions come once each.
  var isRecordingItself: Bool { count == nil || count == .multiply(1) }

  /// True when there is no number of sessions that ends the run, but its time.
  public var isEndless: Bool {
    guard end != nil else { return false }
    return load == .recorded ? loops : count == nil
  }

  /// Returns whether calls of `tool` pass `only` and `skip`.
  public func takes(tool: String) -> Bool {
    (only.isEmpty || only.contains { $0.matches(tool) }) && !skip.contains { $0.matches(tool) }
  }

  /// Returns an instant of the recording as it is in the run.
  func scaledArrival(_ nanoseconds: Int64) -> Int64 {
    arrivalScale == 1 ? nanoseconds : Int64(clamping: Double(nanoseconds) * arrivalScale)
  }

  /// Returns a think time of the recording as it is in the run.
  func scaledThink(_ nanoseconds: Int64) -> Int64 {
    let scaled =
      thinkScale == 1 ? nanoseconds : Int64(clamping: Double(nanoseconds) * thinkScale)
    return min(scaled, maxThink ?? .max)
  }

  /// Where agents are when the run begins, for a recording of that length; at once the recorded sessions it is replayed as it was.
  func start(_ recorded: Int64) -> Start {
    if let start { return start }
    if load == .recorded, isRecordingItself { return .cold }
    if case .stages = load { return .cold }
    guard let end, end < scaledArrival(recorded) else { return .cold }
    return .stationary
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
