import ArgumentParser
import Basics
import CommandSupport
import Glibc
import NIOCore
import ReplayEngine
import ReplayPlan
import Report
import Synchronization
import Trace

/// `replay preflight`
struct PreflightCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preflight",
    abstract: "Find out which recorded calls fail against a target because it has other data.",
    discussion: """
      Sends each distinct call (tool and arguments) of the tools that every recorded listing calls read-only once, after those whose \
      answers it takes values from, without think times. Calls that need one that may write are listed and not sent. What was ok in the \
      recording and is not here is shown with code and message: give this target's values with --map, leave tools out with --skip, or \
      load the recorded data into the target. Ctrl-C lets what is in flight finish and shows what is known so far.

      Example: replay preflight live.mcptrace --target http://127.0.0.1:3000/mcp

      Exit codes: 0 all that were ok are ok, 1 some are not, 2 nothing could be sent, or the target did not answer all, 64 wrong usage, \
      65 unreadable file, 69 target unreachable or not to be started, 130 interrupted.
      """)

  @Argument(help: "The trace to look at; - is standard input.", completion: .file())
  var trace: String

  @Option(
    help: ArgumentHelp(
      "Server to ask, http://HOST:PORT/PATH or https://…; without a path the recorded one.",
      valueName: "url"))
  var target: TargetURL?

  @Option(
    help: ArgumentHelp(
      "Instead of --target: a stdio server that every session starts for itself. Words are split as shells do, quotes included.",
      valueName: "command"))
  var stdio: CommandArgument?

  @Option(help: ArgumentHelp("Sessions open at a time.", valueName: "k"))
  var agents = 4

  @OptionGroup var choice: CallChoice

  @Option(
    help: ArgumentHelp(
      "A request without an answer is given up after this. (default: 60s)", valueName: "duration"))
  var callTimeout: DurationArgument?

  @OptionGroup(title: "Identity") var identity: IdentityOptions

  @OptionGroup(title: "Connections") var connection: ConnectionOptions

  @Flag(help: "Print the result as JSON instead.")
  var json = false

  @Flag(help: "Show no progress.")
  var quiet = false

  func validate() throws {
    guard (target == nil) != (stdio == nil) else {
      throw ValidationError("say whom to ask: either --target URL or --stdio COMMAND")
    }
    guard (1...1000).contains(agents) else {
      throw ValidationError("--agents takes a number from 1 to 1,000")
    }
    guard connection.connections != .recorded else {
      throw ValidationError(
        "a preflight has no connections as recorded, as its sessions are not; choose keep-alive, per-request or shared:K"
      )
    }
    if stdio != nil, let option = identity.headerOption {
      throw ValidationError("\(option) is of no use with --stdio, which has no headers")
    }
  }

  func run() async throws {
    let traffic = try SourceTrace.read(trace)
    var options = PlanOptions()
    try choice.apply(to: &options, traffic)
    var target = ReplayTarget(command: stdio?.words ?? [])
    if let url = self.target {
      target = ReplayTarget(
        host: url.host, port: url.port, authority: url.authority, path: url.path,
        headers: identity.header.map(\.field))
    }
    target.feed = try identity.readFeed(isStdio: stdio != nil)
    options.fed = target.feed?.filled ?? []
    var run = RunOptions()
    run.loops = 1
    run.connect = try connection.connectOptions(for: traffic, self.target)
    // Sessions are not as they were: neither are their connections.
    if case .recorded = run.connect.mode { run.connect.mode = .keepAlive }
    run.policy.onError = .carryOn
    run.policy.callTimeout = max(1_000_000, callTimeout?.nanoseconds ?? 60_000_000_000)
    run.bearer = try await identity.keeper()
    run.notice = { say("replay: " + $0) }
    run.program = "replay \(Replay.version)"
    let result = try await perform(traffic, options, target, run)
    let report = PreflightReport(result)
    put(json ? report.json.text + "\n" : report.text, to: STDOUT_FILENO)
    if result.isInterrupted { throw Exit.interrupted }
    if !result.isComplete { throw Exit.invalid }
    if !result.isPassed { throw Exit.missed }
  }

  private func perform(
    _ recorded: RecordedTraffic, _ options: PlanOptions, _ target: ReplayTarget, _ run: RunOptions
  ) async throws -> PreflightResult {
    let traffic = try await RunSession.told(recorded, to: target, run)
    let preflight = Preflight(traffic, options)
    guard !preflight.calls.isEmpty else {
      throw failure(
        Exit.invalid,
        "nothing to send: \(trace) shows no call that passes the filter, of a tool that all its listings call read-only (readOnlyHint), "
          + "without a write first; look at them with `replay plan`")
    }
    let ends = Mutex(PreflightEnds(preflight, ShownAnswers(traffic)))
    var run = run
    run.observer = { end in ends.withLock { $0.add(end) } }
    let progress = quiet ? nil : ProgressLine(.calls(preflight.calls.count))
    if let progress { run.progress = { progress.show($0, $1) } }
    let isInterrupted = try await ask(preflight, target, run).interrupted
    progress?.end()
    let found = ends.withLock { $0 }
    if !found.isAnySent, !isInterrupted {
      throw failure(
        Exit.invalid,
        "nothing could be sent\(found.trouble.map { ": " + $0 } ?? ""); "
          + (stdio == nil
            ? "is there an MCP server at this address, and does it take this client (--header, --bearer-file)?"
            : "does the command start an MCP server?")
      )
    }
    return PreflightResult(preflight, found.ends, isInterrupted: isInterrupted)
  }

  private func ask(
    _ preflight: Preflight, _ target: ReplayTarget, _ run: RunOptions
  ) async throws -> RunResult {
    let stop = RunStop()
    let signals = StopSignals {
      if !quiet { say("\nstopping: what is in flight may finish; again stops at once") }
      stop.request()
    }
    defer { signals.cancel() }
    do {
      return try await ReplayRun.perform(
        Planner(preflight.traffic, preflight.options(agents: agents)).plan(),
        target: target, options: run, stop: stop)
    } catch let error as TargetUnreachable {
      throw failure(Exit.unreachable, "\(error)")
    }
  }
}

/// What became of a preflight's calls so far.
private struct PreflightEnds {
  private let preflight: Preflight
  private let shown: ShownAnswers
  private(set) var ends: [Preflight.Place: PreflightResult.End] = [:]
  /// The first thing that went wrong beside them, in words.
  private(set) var trouble: String?

  init(_ preflight: Preflight, _ shown: ShownAnswers) {
    self.preflight = preflight
    self.shown = shown
  }

  var isAnySent: Bool { ends.values.contains { if case .sent = $0 { true } else { false } } }

  mutating func add(_ end: StepEnd) {
    let place = Preflight.Place(script: end.script, step: end.step)
    let isJudged = preflight.calls[place] != nil
    switch end.how {
    case .omitted(let reason): if isJudged { ends[place] = .unsent(reason) }
    case .over(let record, let answer):
      guard isJudged else { return note(record) }
      let said = record.outcome == .ok ? nil : answer
      ends[place] = .sent(
        .init(
          outcome: record.outcome, status: record.status, code: record.code,
          message: said.flatMap { shown.message($0, record.outcome) }))
    }
  }

  private mutating func note(_ record: RequestRecord) {
    guard trouble == nil, record.outcome != .ok else { return }
    let status = record.status.map { " (HTTP \($0))" } ?? ""
    trouble = "the first request that failed ended as \(record.outcome.rawValue)\(status)"
  }
}
