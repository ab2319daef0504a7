public import ArgumentParser
public import ReplayPlan

/// The options that make a plan; the same for `run` and `plan`.
struct LoadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "N times the recorded sessions; fractions allowed. At 1 the recording is replayed as it was. (default: 1)",
      valueName: "n"))
  var multiply: Double?

  @Option(help: ArgumentHelp("So many sessions in all, instead of --multiply.", valueName: "k"))
  var sessions: Int?

  @Option(
    help: ArgumentHelp(
      """
      K agents open at once; one that ends is replaced (closed: a slow server lowers the start rate). Ends after --duration, or when \
      --sessions or --multiply are through (without them: each recorded session at least once).
      """, valueName: "k"))
  var agents: Int?

  @Option(
    help: ArgumentHelp(
      """
      Sessions that start per second, whatever becomes of those before (open; a Poisson process). Ends as --agents does.
      """, valueName: "r"))
  var sessionRate: Double?

  @Option(
    help: ArgumentHelp(
      """
      A load that changes: DURATION:AGENTS,… as 30s:100,30s:100,10s:0, or DURATION:RATE/s,… for sessions started per second; within \
      a stage it changes evenly from the target before, at first 0. Agents that a ramp has no place for any more end what is in flight.
      """, valueName: "stages"))
  var stages: StagesArgument?

  @Flag(help: "Begin the recording anew when it is through, until --duration is over.")
  var loop = false

  @Option(
    help: """
      When a request is due: gap (its think time after the answers it waits for came in this run), max (also not before its ideal \
      offset), strict (at its ideal offset, whatever was answered; values of answers and the protocol are waited for).
      """)
  var coupling = PlanOptions.Coupling.gap

  @Option(
    help: "Factor on think times and on gaps between session starts: 0.5 is half as long.")
  var timeScale = 1.0

  @Option(
    help: ArgumentHelp(
      "Factor on think times alone. (default: --time-scale)", valueName: "f"))
  var thinkScale: Double?

  @Option(
    help: ArgumentHelp(
      "Factor on gaps between session starts alone. (default: --time-scale)", valueName: "f"))
  var arrivalScale: Double?

  @Option(
    help: ArgumentHelp(
      "Longest think time in the run, after scaling. (no default)", valueName: "duration"))
  var maxThink: DurationArgument?

  @Option(
    help: ArgumentHelp(
      """
      How a copy's think times differ from the recorded ones: none, uniform:SHARE (0.2 is ±20 %), lognormal:SIGMA (the median \
      stays), recorded (drawn from those between the same two tools). A turn's calls are moved together.
      """, valueName: "jitter"))
  var thinkJitter = ThinkJitter.none

  @Option(
    help: """
      How copies of a session lie to each other: independent (every copy has its own phase), cohort:G (groups of G share one) or \
      lockstep (copies start together).
      """)
  var burst = Burst.independent

  @Option(
    help: """
      How sessions are chosen: balanced (each floor(N) times, the rest drawn) or bootstrap (every copy drawn with replacement); both \
      stratified by client, sessions not seen whole drawn half as often.
      """)
  var resample = PlanOptions.Resample.balanced

  @Option(
    help: ArgumentHelp(
      """
      Window in which the phase of a copy moves its start, at most the recording's length; where sessions start at a constant rate \
      the whole recording is the window. (default: 15m)
      """, valueName: "duration"))
  var phaseWindow: DurationArgument?

  @Option(
    help: ArgumentHelp(
      """
      Where agents are when the run begins: cold (at their beginning) or stationary (anywhere; what they need of before, as their \
      handshake, is done before the run and not counted). (default: stationary where --duration is shorter than the recording, and \
      more than the recording itself is replayed)
      """, valueName: "start"))
  var start: PlanOptions.Start?

  @Option(
    help: ArgumentHelp(
      "Largest random delay of each session's start. (default: 0s)", valueName: "duration"))
  var jitter: DurationArgument?

  @Option(help: "Seed of all chance: same trace, options and seed, same plan.")
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Nothing more is sent after this time; what is in flight finishes. (no default)",
      valueName: "duration"))
  var duration: DurationArgument?

  @Option(
    help: ArgumentHelp(
      "Refuse a plan with more agents open at once than this. (no default)", valueName: "k"))
  var maxAgents: Int?

  @Option(
    help: ArgumentHelp(
      "Refuse a plan with more calls in a second than this. (no default)", valueName: "n"))
  var maxRate: Int?

  @OptionGroup var choice: CallChoice

  @Option(
    help: ArgumentHelp(
      """
      Every session makes this chain of calls instead of its own: tools separated by commas, alternatives as (a|b). The calls are \
      recorded ones, the session's own where it has such; think times are those recorded between the same two tools.
      """, valueName: "tools"))
  var chain: ForcedChain?

  @Flag(
    help: """
      Send recorded values as they were. Without it a call takes ids, handles and the like from this run's own answers, where the \
      recording says that they came from an answer (`uses`).
      """)
  var noCorrelation = false

  @Option(
    help: ArgumentHelp(
      """
      Which recorded waits hold: order (all), uses (only those for a value of an answer or by the protocol; other calls are \
      sent at their ideal time).
      """, valueName: "waits"))
  var after = PlanOptions.After.order

  @Option(
    help: ArgumentHelp(
      """
      What follows when this server's answers do not give a value that a call needs: skip-dependents (the call is skipped, and \
      what needs its answer), recorded (the recorded value is sent), end-session.
      """, valueName: "policy"))
  var onUnresolved = PlanOptions.OnUnresolved.skipDependents

  @Flag(help: "Send calls of tools that the recording does not show to be read-only.")
  var allowWrites = false

  func validate() throws {
    if let multiply, !(multiply > 0 && multiply <= 1e6) {
      throw ValidationError("--multiply takes a number above 0 and up to 1,000,000")
    }
    if let agents, !(1...1_000_000).contains(agents) {
      throw ValidationError("--agents takes a number from 1 to 1,000,000")
    }
    if let sessions, !(1...1_000_000_000).contains(sessions) {
      throw ValidationError("--sessions takes a number from 1 to 1,000,000,000")
    }
    guard multiply == nil || sessions == nil else {
      throw ValidationError(
        "--multiply and --sessions both say how many sessions; give one of them")
    }
    guard [agents != nil, sessionRate != nil, stages != nil].count(where: { $0 }) <= 1 else {
      throw ValidationError(
        "--agents, --session-rate and --stages each say how agents come; give one of them")
    }
    if let sessionRate, !(sessionRate > 0 && sessionRate <= 1e6) {
      throw ValidationError("--session-rate takes a number above 0 and up to 1,000,000")
    }
    for (name, factor) in [
      ("--time-scale", timeScale), ("--think-scale", thinkScale ?? 1),
      ("--arrival-scale", arrivalScale ?? 1),
    ] where !(0...1000).contains(factor) {
      throw ValidationError("\(name) takes a number from 0 to 1000")
    }
    let isOpen = sessionRate != nil || stages?.stages.first?.unit == .rate
    guard !isOpen || burst != .lockstep else {
      throw ValidationError(
        "--burst lockstep has no meaning at a rate of sessions; choose cohort:G for groups")
    }
    guard !loop || duration != nil else { throw ValidationError("--loop needs --duration") }
    guard !loop || (arrivalScale ?? timeScale) > 0 else {
      throw ValidationError("--loop needs gaps between session starts: --arrival-scale above 0")
    }
    guard !loop || (agents == nil && sessionRate == nil && stages == nil) else {
      throw ValidationError(
        "--loop is for the recording's own arrivals; the others go on by themselves")
    }
  }

  /// What was asked for.
  ///
  /// - Throws: `ExitCode` after saying why, when `--map` can't be read.
  func planOptions(for traffic: RecordedTraffic) throws -> PlanOptions {
    var options = PlanOptions()
    if let agents { options.load = .agents(agents) }
    if let sessionRate { options.load = .rate(sessionRate) }
    if let stages { options.load = .stages(stages.stages) }
    options.count = multiply.map { .multiply($0) } ?? sessions.map { .sessions($0) }
    options.loops = loop
    options.coupling = coupling
    options.thinkScale = thinkScale ?? timeScale
    options.arrivalScale = arrivalScale ?? timeScale
    options.thinkJitter = thinkJitter
    options.start = start
    if let phaseWindow { options.phaseWindow = phaseWindow.nanoseconds }
    options.maxThink = maxThink?.nanoseconds
    options.burst = burst
    options.resample = resample
    options.jitter = jitter?.nanoseconds ?? 0
    options.seed = seed
    options.duration = duration?.nanoseconds
    options.allowsWrites = allowWrites
    options.correlates = !noCorrelation
    options.after = after
    options.onUnresolved = onUnresolved
    try choice.apply(to: &options, traffic)
    return options
  }

  /// The recording with `--chain` in place of its sessions' calls.
  ///
  /// - Throws: `ExitCode` after saying why.
  func chained(_ traffic: RecordedTraffic) throws -> RecordedTraffic {
    guard let chain else { return traffic }
    do throws(ForcedChain.Missing) {
      return try chain.applied(to: traffic, seed: seed)
    } catch {
      throw failure(Exit.usage, "--chain \(chain): \(error)")
    }
  }
}

extension Burst: ExpressibleByArgument {
  /// Reads what `description` says.
  public init?(argument: String) { self.init(argument) }
  /// As it is given.
  public var defaultValueDescription: String { description }
}
extension ThinkJitter: ExpressibleByArgument {
  /// Reads what `description` says.
  public init?(argument: String) { self.init(argument) }
  /// As it is given.
  public var defaultValueDescription: String { description }
}
extension ForcedChain: ExpressibleByArgument {
  /// Reads what `description` says.
  public init?(argument: String) { self.init(argument) }
}
extension PlanOptions.Coupling: ExpressibleByArgument {}
extension PlanOptions.Start: ExpressibleByArgument {}
extension PlanOptions.Resample: ExpressibleByArgument {}
extension PlanOptions.After: ExpressibleByArgument {}
extension PlanOptions.OnUnresolved: ExpressibleByArgument {}
