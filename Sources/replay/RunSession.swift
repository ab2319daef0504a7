import ArgumentParser
import Basics
import CommandSupport
import Glibc
import NIOCore
import Redaction
import ReplayEngine
import ReplayPlan
import Report
import Trace

/// A run from its plan to its printed result; what `run` and `demo` share.
struct RunSession {
  var traffic: RecordedTraffic
  var plan: Plan
  var target: ReplayTarget
  var run = RunOptions()
  var summaryPath: String?
  var recordPath: String?
  var recordLevel = TraceWriter.defaultLevel
  var junitPath: String?
  /// What is demanded of the run as a whole and of its windows, in the order it was given.
  var thresholds: [Threshold] = []
  /// Whether the target is a null server.
  var isNull = false
  var verify = AnswerVerifier.Options()
  var isQuiet = false
  /// Whether the target is asked which revisions it speaks.
  var negotiates = true
  /// Options for the summary, beside those of the plan.
  var options: [(String, JSONValue)] = []

  /// How a run came out.
  struct Result {
    var summary: ReplaySummary
    var interrupted: Bool
    /// True when a threshold of `--abort-on` ended it.
    var wasAborted = false

    /// Ends the command with the contract's code.
    func exit() throws {
      if interrupted { throw Exit.interrupted }
      // The figures of an invalid run say nothing about thresholds.
      if !summary.isValid { throw Exit.invalid }
      if wasAborted || summary.thresholds.contains(where: { !$0.isMet }) { throw Exit.missed }
    }
  }

  /// Longest run that needs no `--yes`.
  private static let longest: Int64 = 7_200_000_000_000

  init(traffic: RecordedTraffic, plan: Plan, target: ReplayTarget) {
    self.traffic = traffic
    self.plan = plan
    self.target = target
    run.loops = min(8, System.coreCount)
  }

  /// Refuses calls that may write, unless they were allowed.
  func checkWrites() throws {
    guard !plan.options.allowsWrites, !plan.forecast.writes.isEmpty else { return }
    let calls = plan.forecast.writes.reduce(0) { $0 + $1.calls }
    throw failure(
      Exit.usage,
      "\(calls) of the planned calls may write to the server; pass --allow-writes, or choose tools with --only or "
        + "--skip\n" + PlanText(plan).writes)
  }

  /// Raises the limit of connections, and refuses plans that need more at once than the system grants.
  func checkDescriptors() throws {
    guard let limit = DescriptorLimit.raise(), target.command == nil else { return }
    let need = DescriptorNeed.count(plan, run.connect.mode)
    guard need > limit else { return }
    throw failure(
      Exit.cannotCreate,
      "the plan needs about \(need) connections and files at once (\(plan.forecast.peakAgents) agents at its peak), this process "
        + "may have \(limit); raise the hard limit (`ulimit -Hn`), run fewer agents, or choose --connections shared:K"
    )
  }

  /// Refuses very long runs without a duration.
  func checkLength() throws {
    guard plan.options.end == nil, plan.forecast.length > RunSession.longest else { return }
    throw failure(
      Exit.usage,
      "\(PlanText(plan).headline); pass --max-think, --time-scale or --duration, or --yes to run it all"
    )
  }

  /// How long the run is planned to take, nanoseconds.
  var length: Int64 { min(plan.forecast.length, plan.options.end ?? .max) }

  /// Refuses plans above the user's own ceilings.
  func check(maxAgents: Int?, maxRate: Int?) throws {
    let forecast = plan.forecast
    if let maxAgents, forecast.peakAgents > maxAgents {
      throw failure(
        Exit.usage,
        "the plan has \(forecast.peakAgents) agents open at once, --max-agents allows \(maxAgents); plan fewer or raise it"
      )
    }
    if let maxRate, forecast.peakCallsPerSecond > maxRate {
      throw failure(
        Exit.usage,
        "the plan has \(forecast.peakCallsPerSecond) calls in its busiest second, --max-rate allows \(maxRate); plan fewer or raise it"
      )
    }
  }

  /// Runs the plan, shows progress, prints the result and writes the summary.
  ///
  /// - Throws: `ExitCode` after saying why.
  func perform() async throws -> Result {
    for path in [summaryPath, junitPath].compactMap(\.self) { try checkWritable(path) }
    if !isQuiet { say(PlanText(plan).headline) }
    return try await (negotiates ? negotiated() : self).carryOut()
  }

  /// The recording as it is told in the revision that the target speaks.
  static func told(
    _ traffic: RecordedTraffic, to target: ReplayTarget, _ run: RunOptions
  ) async throws -> RecordedTraffic {
    var asked = target
    if let token = run.bearer?.token {
      asked.headers.append(HeaderField("Authorization", "Bearer \(token.text)"))
    }
    asked.headers += target.feed?.firstFields ?? []
    do {
      return traffic.told(
        to: try await TargetQuestions.ask(traffic, target: asked, connect: run.connect))
    } catch is TargetUnreachable {
      // The run itself finds that out too, and says so.
      return traffic
    }
  }

  /// The session for the revision that the target speaks.
  private func negotiated() async throws -> RunSession {
    let told = try await RunSession.told(traffic, to: target, run)
    guard told != traffic else { return self }
    let sessions = told.scripts.filter { $0.recordedRevision != nil }
    if !isQuiet, !sessions.isEmpty {
      let recorded = Set(sessions.compactMap(\.recordedRevision)).sorted().joined(separator: ", ")
      let spoken = Set(sessions.compactMap(\.revision)).sorted().joined(separator: ", ")
      say(
        "the target speaks \(spoken), not \(recorded): \(sessions.count) of \(told.scripts.count) "
          + "sessions are told in its revision")
    }
    var session = self
    session.traffic = told
    session.plan = Planner(told, plan.options).plan()
    return session
  }

  private func carryOut() async throws -> Result {
    let stop = RunStop()
    let isQuiet = isQuiet
    let signals = StopSignals {
      if !isQuiet { say("\nstopping: what is in flight may finish; again stops at once") }
      stop.request()
    }
    defer { signals.cancel() }
    let progress = isQuiet ? nil : ProgressLine(.length(plan.forecast.length))
    var run = run
    if let progress { run.progress = { progress.show($0, $1) } }
    run.notice = { say("replay: " + $0) }
    run.program = "replay \(Replay.version)"
    run.trace = try openTrace()
    run.thresholds = thresholds
    run.verifier = AnswerVerifier(traffic, verify)
    let environment = RunEnvironment.describe(loops: run.loops)
    let result: RunResult
    do {
      result = try await ReplayRun.perform(plan, target: target, options: run, stop: stop)
    } catch let error as TargetUnreachable {
      throw failure(Exit.unreachable, "\(error)")
    }
    progress?.end()
    let lost = try await run.trace?.close(bytes: result.bytes, lost: result.garbage)
    var summary = result.summary(of: traffic, maxLag: run.maxLag)
    summary.options = .object(
      (options + PlanFigures.options(plan.options)).map { .init($0.0, $0.1) })
    summary.environment = environment
    summary.thresholds = judged(summary, result)
    if !isQuiet { put(SummaryText(summary, isFloor: isNull).text, to: STDOUT_FILENO) }
    if let summaryPath { try save(SummaryJSON(summary).text, toFile: summaryPath) }
    if let junitPath { try save(JUnitXML(summary).text, toFile: junitPath) }
    if let recordPath, let cause = lost {
      throw failure(
        Exit.ioError,
        "cannot write \(recordPath): \(words(cause)); part of the run's trace is missing")
    }
    return Result(
      summary: summary, interrupted: result.interrupted, wasAborted: result.abortCause != nil)
  }

  /// What came of the thresholds: those that end the run first, then the others as they were given.
  private func judged(
    _ summary: ReplaySummary, _ result: RunResult
  ) -> [ReplaySummary.ThresholdResult] {
    var live = result.thresholds[...]
    let figures = SummaryJSON(summary).value
    let aborting = live.prefix(run.abortOn.count)
    live = live.dropFirst(run.abortOn.count)
    return aborting
      + thresholds.compactMap { threshold in
        threshold.window == nil ? threshold.evaluated(in: figures) : live.popFirst()
      }
  }

  private func openTrace() throws -> RunTrace? {
    guard let recordPath else { return nil }
    do {
      return try RunTrace(
        path: recordPath, level: recordLevel, hiding: hidingRules(recordPath),
        payloads: traffic.payloads)
    } catch let error as TraceWriter.CreationError {
      throw failure(
        Exit.cannotCreate,
        "cannot create \(recordPath): \(words(error.errno)); choose another --record")
    }
  }

  /// The recording's rules, as far as its header says them.
  private func hidingRules(_ recordPath: String) -> [RedactionRule] {
    traffic.redactionRules.compactMap { name in
      if Redactor.ruleNames.contains(name) { return nil }
      if let rule = RedactionRule(named: name) { return rule }
      say(
        "replay: \(recordPath): the recording's rule \(name) is known by name alone, and hides nothing in the run's own trace"
      )
      return nil
    }
  }

  /// Finds out before the run that the summary can be written after it.
  private func checkWritable(_ path: String) throws {
    guard path != "-" else { return }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw failure(
        Exit.cannotCreate, "cannot create \(path): \(words(errno)); choose another place")
    }
    close(descriptor)
  }

  private func save(_ text: String, toFile path: String) throws {
    if path == "-" { return put(text, to: STDOUT_FILENO) }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    let isWritten = descriptor >= 0 && putAll(text, to: descriptor)
    let cause = errno
    if descriptor >= 0 { close(descriptor) }
    guard isWritten else {
      throw failure(
        Exit.ioError, "cannot write \(path): \(words(cause)); the figures above are lost there")
    }
  }
}
