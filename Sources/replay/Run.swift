public import ArgumentParser
import Basics
import CommandSupport
import ReplayEngine
public import ReplayPlan

/// `replay run`
struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The load run: plays a trace against a live server and measures it.",
    discussion: """
      Durations are numbers with ns, us, ms, s, m, h or d (2m, 1.5s, 1h30m); a bare number is seconds. Recorded credentials \
      are never sent: give your own with --bearer-file, --bearer-command or --header. Before the run the target is asked which revisions of MCP it speaks; where it \
      refuses that of the recording, sessions are told in its own, and what has no counterpart there is counted. Ctrl-C lets what is in flight finish, a second one stops at once; the \
      results so far are written.

      Example: replay run live.mcptrace --target http://127.0.0.1:3000/mcp --multiply 10 --summary s.json

      Exit codes: 0 done, 1 a threshold was missed, 2 the result is invalid (whatever the thresholds), 64 wrong usage, 65 unreadable trace, 69 target unreachable or not to be started, \
      73 cannot create a file, 74 cannot write, 130 interrupted.
      """)

  @Argument(help: "The trace to replay; - is standard input.", completion: .file())
  var trace: String

  @Option(
    help: ArgumentHelp(
      "Server to replay against, http://HOST:PORT/PATH or https://…; without a path the recorded one.",
      valueName: "url"))
  var target: TargetURL?

  @Option(
    help: ArgumentHelp(
      """
      Instead of --target: a stdio server that every agent starts for itself. Words are split as shells do, quotes included; there \
      are no variables or pipes. What it says on standard error is dropped.
      """, valueName: "command"))
  var stdio: CommandArgument?

  @Flag(
    help: """
      Instead of --target: a server in a process of its own that answers at once what was recorded. What the run then shows is the \
      generator's own floor: its lag, latency and processor time a call on this machine.
      """)
  var null = false

  @OptionGroup(title: "Load") var load: LoadOptions

  @OptionGroup(title: "Connections") var connection: ConnectionOptions

  @OptionGroup(title: "Identity") var identity: IdentityOptions

  @Option(
    help: ArgumentHelp(
      "A request without an answer is given up after this, as a client would. (default: 60s)",
      valueName: "duration"))
  var callTimeout: DurationArgument?

  @Option(
    help: ArgumentHelp(
      """
      What follows a call that fails and did not in the recording: end-turn (what waited for it in its turn is skipped), \
      continue, end-session, retry:N. (default: end-turn)
      """, valueName: "policy"))
  var onError: OnErrorArgument?

  @Option(
    help: """
      What follows a session that the server has lost (a 404 to it, the end of its HTTP+SSE stream or of its stdio server): \
      end-session, or reinitialize (a new handshake after a pause, 3 in a row at most, uncounted; what is due waits for it).
      """)
  var onSessionLoss = AgentPolicy.OnSessionLoss.endSession

  @Option(
    help: ArgumentHelp(
      "Above this lag (p99 of sent minus due) the result is invalid. (default: 20ms)",
      valueName: "duration"))
  var maxLag: DurationArgument?

  @Option(
    help: ArgumentHelp("Write the result's figures as JSON.", valueName: "file"),
    completion: .file())
  var summary: String?

  @OptionGroup(title: "Answers") var verification: VerifyOptions

  @OptionGroup(title: "Demands") var demands: ThresholdOptions

  @Option(
    help: ArgumentHelp(
      "Record the run itself as a trace; a name that ends in .zst is compressed.",
      valueName: "file"),
    completion: .file())
  var record: String?

  @OptionGroup var compression: CompressionOptions

  @Flag(help: "Run without asking even if it takes more than two hours.")
  var yes = false

  @Flag(help: "Print nothing but errors; the result is then only in --summary.")
  var quiet = false

  func run() async throws {
    let traffic = try load.chained(
      SourceTrace.read(trace, keepsResults: verification.verify != .off))
    let feed = try identity.readFeed(isStdio: stdio != nil)
    var options = try load.planOptions(for: traffic)
    options.fed = feed?.filled ?? []
    let plan = Planner(traffic, options).plan()
    guard null else {
      var target = replayTarget
      target.feed = feed
      return try await replay(traffic, plan, target)
    }
    let server: NullServer
    do throws(NullServer.Failure) {
      server = try NullServer(trace: trace)
    } catch {
      throw failure(Exit.unreachable, "cannot start the null server: \(error)")
    }
    defer { server.stop() }
    try await replay(
      traffic, plan,
      ReplayTarget(
        host: "127.0.0.1", port: server.port, authority: "127.0.0.1:\(server.port)", path: nil))
  }

  private func replay(
    _ traffic: RecordedTraffic, _ plan: Plan, _ target: ReplayTarget
  ) async throws {
    var session = RunSession(traffic: traffic, plan: plan, target: target)
    session.run.policy.onError = onError?.policy ?? .endTurn
    session.run.policy.onSessionLoss = onSessionLoss
    session.run.policy.callTimeout = max(1_000_000, callTimeout?.nanoseconds ?? 60_000_000_000)
    session.run.connect = try connection.connectOptions(for: traffic, self.target)
    session.run.maxLag = maxLag?.nanoseconds ?? 20_000_000
    session.summaryPath = summary
    session.recordPath = record
    session.recordLevel = compression.level
    session.junitPath = demands.junit
    session.thresholds = try demands.thresholds(for: traffic)
    session.run.abortOn = try demands.aborting(for: traffic)
    session.isQuiet = quiet
    session.options = options
    session.isNull = null
    session.verify = verification.options
    // What a null server is told changes nothing.
    if !null { try session.checkWrites() }
    try session.checkDescriptors()
    try session.check(maxAgents: load.maxAgents, maxRate: load.maxRate)
    if !yes { try session.checkLength() }
    session.run.bearer = try await identity.keeper()
    identity.warn(session.run.bearer, length: session.length)
    try await session.perform().exit()
  }

  func validate() throws {
    guard [target != nil, stdio != nil, null].count(where: { $0 }) == 1 else {
      throw ValidationError("say where to replay: --target URL, --stdio COMMAND or --null")
    }
    guard !null || trace != "-" else {
      throw ValidationError("--null reads the trace twice: give it as a file")
    }
    if stdio != nil, let option = identity.headerOption {
      throw ValidationError("\(option) is of no use with --stdio, which has no headers")
    }
  }

  private var replayTarget: ReplayTarget {
    guard let target else { return ReplayTarget(command: stdio?.words ?? []) }
    return ReplayTarget(
      host: target.host, port: target.port, authority: target.authority, path: target.path,
      headers: identity.header.map(\.field))
  }

  /// The options as the summary repeats them; header values may be credentials and stay out.
  private var options: [(String, JSONValue)] {
    var options: [(String, JSONValue)] = [
      ("trace", .string(trace)),
      (
        "target",
        .string(target?.text ?? (null ? "null server" : "stdio: \(stdio?.words.first ?? "")"))
      ),
      ("on_error", .string(onError?.text ?? "end-turn")),
      ("on_session_loss", .string(onSessionLoss.rawValue)),
      ("call_timeout_ms", .number("\((callTimeout?.nanoseconds ?? 60_000_000_000) / 1_000_000)")),
      ("max_lag_ms", .number("\(Double(maxLag?.nanoseconds ?? 20_000_000) / 1e6)")),
    ]
    if verification.verify != .off {
      options.append(("verify", .string(verification.verify.rawValue)))
      options.append(("verify_ignore", .array(verification.verifyIgnore.map { .string($0) })))
      options.append(("verify_sample", .number("\(verification.options.sample)")))
    }
    for (name, expressions) in [("threshold", demands.threshold), ("abort_on", demands.abortOn)]
    where !expressions.isEmpty {
      options.append((name, .array(expressions.map { .string($0) })))
    }
    return options + identity.figures
  }
}

extension AgentPolicy.OnSessionLoss: ExpressibleByArgument {}
