/// How agents come and go.
public enum Load: Hashable, Sendable {
  /// As they were recorded, each copy moved by its phase.
  case recorded
  /// So many open at once; one that ends is replaced (closed: a slow server lowers the start rate).
  case agents(Int)
  /// So many sessions a second, whatever becomes of them (open).
  case rate(Double)
  /// A load that changes with time.
  case stages([Stage])

  /// A stretch of a load that changes evenly from the target before, at first 0, to its own.
  public struct Stage: Hashable, Sendable {
    /// What its target counts.
    public enum Unit: Hashable, Sendable {
      /// Agents open at once.
      case agents
      /// Sessions started a second.
      case rate
    }

    /// Nanoseconds.
    public var duration: Int64
    /// Agents, or sessions a second.
    public var target: Double
    /// What `target` counts.
    public var unit: Unit

    /// Describes a stage.
    public init(duration: Int64, target: Double, unit: Unit) {
      self.duration = duration
      self.target = target
      self.unit = unit
    }
  }

  /// True when an agent that ends is replaced.
  var isClosed: Bool {
    switch self {
    case .agents: true
    case .stages(let stages): stages.first?.unit == .agents
    case .recorded, .rate: false
    }
  }
}

/// A stage on the run's time line.
public struct StageSpan: Hashable, Sendable {
  /// Nanoseconds since the run's beginning.
  public var start: Int64
  /// Nanoseconds since the run's beginning.
  public var end: Int64
  /// Agents, or sessions a second, at `start`.
  public var from: Double
  /// The same at `end`.
  public var to: Double

  /// True when the load stays as it is: figures of bursts are taken there.
  public var isHold: Bool { from == to && to > 0 }

  /// Lays stages out in time.
  static func spans(_ stages: [Load.Stage]) -> [StageSpan] {
    var spans: [StageSpan] = []
    for stage in stages {
      let start = spans.last?.end ?? 0
      spans.append(
        StageSpan(
          start: start, end: start + stage.duration, from: spans.last?.to ?? 0, to: stage.target))
    }
    return spans
  }
}

/// How copies of one session lie to each other.
public enum Burst: Hashable, Sendable, CustomStringConvertible {
  /// Every copy has its own phase.
  case independent
  /// Groups of so many copies share one phase.
  case cohort(Int)
  /// Copies start together.
  case lockstep

  /// `independent`, `cohort:G` or `lockstep`.
  public init?(_ text: String) {
    switch text {
    case "independent": self = .independent
    case "lockstep": self = .lockstep
    default:
      guard text.hasPrefix("cohort:"), let size = Int(text.dropFirst("cohort:".count)),
        (1...1_000_000).contains(size)
      else { return nil }
      self = .cohort(size)
    }
  }

  /// As it is given on the command line.
  public var description: String {
    switch self {
    case .independent: "independent"
    case .cohort(let size): "cohort:\(size)"
    case .lockstep: "lockstep"
    }
  }

  /// The number of the group that a copy is in.
  func group(_ clone: Int) -> Int {
    switch self {
    case .independent: clone
    case .cohort(let size): clone / size
    case .lockstep: 0
    }
  }
}
