public import ArgumentParser
public import ReplayPlan

/// The options that make a plan; the same for `run` and `plan`.
struct LoadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "N times the recorded sessions; fractions allowed. At 1 the recording is replayed as it was. (default: 1)",
      valueName: "n"))
  var multiply: Double?

  @Option(
    help: ArgumentHelp(
      """
      K agents open at once; one that ends is replaced (a slow server lowers the start rate). Ends after --duration, or when \
      --multiply times the recorded sessions are through (without it: each at least once).
      """, valueName: "k"))
  var agents: Int?

  @Option(
    help: "Factor on think times and on gaps between session starts: 0.5 is half as long.")
  var timeScale = 1.0

  @Option(
    help: ArgumentHelp(
      "Longest think time in the run, after scaling. (no default)", valueName: "duration"))
  var maxThink: DurationArgument?

  @Option(
    help: """
      How copies of a session lie to each other: independent (every copy has its own phase) or lockstep (copies start together).
      """)
  var burst = PlanOptions.Burst.independent

  @Option(
    help: """
      How sessions are chosen: balanced (each floor(N) times, the rest drawn, stratified by client).
      """)
  var resample = PlanOptions.Resample.balanced

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
      "Only calls of these tools: names with * and ?, separated by commas; repeatable.",
      valueName: "tools"))
  var only: [String] = []

  @Option(
    help: ArgumentHelp(
      "No calls of these tools: names with * and ?, separated by commas; repeatable.",
      valueName: "tools"))
  var skip: [String] = []

  @Flag(
    help: """
      Send recorded values as they were. Without it a call takes ids, handles and the like from this run's own answers, where the \
      recording says that they came from an answer (`uses`).
      """)
  var noCorrelation = false

  @Option(
    help: ArgumentHelp(
      """
      Replace recorded values where the target has other data: a CSV file with tool,pointer,from,to, as \
      'read_*,/arguments/id,T-17,T-90'. An empty 'from' is any value. Values that the run's own answers give are taken from those.
      """, valueName: "file"), completion: .file())
  var map: String?

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
    guard timeScale >= 0, timeScale.isFinite else {
      throw ValidationError("--time-scale takes a number, 0 or more")
    }
  }

  /// What was asked for.
  ///
  /// - Throws: `ExitCode` after saying why, when `--map` can't be read.
  func planOptions(for traffic: RecordedTraffic) throws -> PlanOptions {
    var options = PlanOptions()
    options.load = agents.map { .agents($0, multiply: multiply) } ?? .multiply(multiply ?? 1)
    options.timeScale = timeScale
    options.maxThink = maxThink?.nanoseconds
    options.burst = burst
    options.resample = resample
    options.jitter = jitter?.nanoseconds ?? 0
    options.seed = seed
    options.duration = duration?.nanoseconds
    options.only = LoadOptions.patterns(only)
    options.skip = LoadOptions.patterns(skip)
    options.allowsWrites = allowWrites
    options.correlates = !noCorrelation
    options.after = after
    options.onUnresolved = onUnresolved
    if let map { options.map = try LoadOptions.valueMap(map, traffic) }
    return options
  }

  private static func valueMap(_ file: String, _ traffic: RecordedTraffic) throws -> ValueMap {
    let text: String
    do throws(FileText.Failure) {
      text = try FileText.read(file)
    } catch {
      throw failure(Exit.unreadableInput, "cannot read --map \(file): \(words(error.errno))")
    }
    let map: ValueMap
    do throws(ValueMap.FormatError) {
      map = try ValueMap(csv: text)
    } catch {
      throw failure(Exit.unreadableInput, "--map \(file): \(error)")
    }
    let unused = map.unused(in: traffic)
    if !unused.isEmpty {
      say(
        "replay: --map \(file): no recorded call matches line \(unused.prefix(5).map(String.init).joined(separator: ", "))"
          + (unused.count > 5 ? " and \(unused.count - 5) more" : ""))
    }
    return map
  }

  private static func patterns(_ texts: [String]) -> [ToolPattern] {
    texts.flatMap { $0.split(separator: ",") }.map { ToolPattern(String($0)) }
  }
}

extension PlanOptions.Burst: ExpressibleByArgument {}
extension PlanOptions.Resample: ExpressibleByArgument {}
extension PlanOptions.After: ExpressibleByArgument {}
extension PlanOptions.OnUnresolved: ExpressibleByArgument {}
