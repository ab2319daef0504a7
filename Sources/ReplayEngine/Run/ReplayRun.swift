import Basics
import Glibc
import NIOCore
import NIOPosix
public import ReplayPlan
import Spawn
import Trace

/// Options of a run that do not change its plan.
public struct RunOptions: Sendable {
  /// How agents behave when things go wrong.
  public var policy = AgentPolicy()
  /// Largest 99th percentile of lag for a valid run, nanoseconds.
  public var maxLag: Int64 = 20_000_000
  /// What is judged while the run goes on; those without windows are the caller's.
  public var thresholds: [Threshold] = []
  /// What ends the run when it is missed, as the user could: what is in flight finishes.
  public var abortOn: [Threshold] = []
  /// How the target is reached.
  public var connect = ConnectOptions()
  /// Event loops, each with a thread.
  public var loops = 2
  /// Where the run is recorded; closed by the caller.
  public var trace: RunTrace?
  /// Name and version of this program, for the trace.
  public var program = "replay"
  /// Authorises all requests.
  public var bearer: BearerKeeper?
  /// Called with what the user should know while the run goes on, a sentence each.
  public var notice: (@Sendable (String) -> Void)?
  /// Called on the event loops with what became of each request of a script, and of calls that were left out.
  public var observer: (@Sendable (StepEnd) -> Void)?
  /// Compares answers with the recorded ones.
  public var verifier: AnswerVerifier?
  /// So long, in nanoseconds, every loop is held up ten times a second: for tests of what a slow generator shows.
  public var stall: Int64 = 0
  /// Called about once a second.
  public var progress: (@Sendable (_ elapsed: Int64, RunProgress) -> Void)?

  /// Creates the default.
  public init() {}
}

/// The target could not be reached, so nothing was sent.
public struct TargetUnreachable: Error, Sendable, CustomStringConvertible {
  /// Host and port.
  public var target: String
  /// What the system said.
  public var cause: String
  private var isCommand = false
  private var sentence: String?

  init(target: String, cause: String) {
    self.target = target
    self.cause = cause
  }

  /// Something else than the connection itself is wrong.
  init(sentence: String) {
    self.init(target: "", cause: sentence)
    self.sentence = sentence
  }

  init(command: [String], cause: String) {
    self.init(target: command.first ?? "", cause: cause)
    isCommand = true
  }

  /// One sentence: what, where, what to do.
  public var description: String {
    if let sentence { return sentence }
    return isCommand
      ? "\(cause); check the command of --stdio"
      : "cannot connect to \(target): \(cause); is the server up, and is --target right?"
  }
}

/// What all loops of a run share.
struct RunSetup: Sendable {
  var plan: Plan
  var books: RequestShelf
  var policy: AgentPolicy
  var clock: RunClock
  var gauges: RunGauges
  /// `nil` for stdio servers.
  var dialer: Dialer?
  var target: ReplayTarget
  var trace: RunTrace?
  var loops: Int
  var labels: CallLabels
  /// The ends of the stages of the load, nanoseconds of the run; empty without stages.
  var stageEnds: [Int64] = []
  var live: LiveThresholds?
  var stall: Int64 = 0
  var verifier: AnswerVerifier?
  var bearer: BearerKeeper?
  var notice: (@Sendable (String) -> Void)?
  var observer: (@Sendable (StepEnd) -> Void)?
  /// Tells this run from others with the same plan.
  let nonce = UInt64.random(in: 0...UInt64.max)
}

/// Asks a run to stop: the first time what is in flight may finish, the second time at once.
public final class RunStop: Sendable {
  private let requests: AsyncStream<Void>.Continuation
  let stream: AsyncStream<Void>

  /// Creates a stop that nobody has asked for.
  public init() { (stream, requests) = AsyncStream.makeStream() }

  /// Asks once more.
  public func request() { requests.yield() }
}

/// Carries a plan out.
public enum ReplayRun {
  /// Time between set-up and the run's beginning, so that the first agents are not late.
  private static let lead: Int64 = 100_000_000

  /// Performs the plan and returns what was measured.
  ///
  /// - Throws: `TargetUnreachable` when a first connection fails.
  public static func perform(
    _ plan: Plan, target: ReplayTarget, options: RunOptions,
    stop: RunStop = RunStop()
  ) async throws -> RunResult {
    var dialer = target.command == nil ? try Dialer(target, options.connect) : nil
    if let command = target.command { try check(command) }
    var loops = max(1, options.loops)
    var options = options
    if case .shared(let count) = options.connect.mode {
      // A loop without a connection could send nothing.
      loops = min(loops, count)
      options.policy.freesConnections = true
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    do {
      try await dialer?.check(group)
      let result = try await perform(plan, target, dialer, options, stop, group)
      try await group.shutdownGracefully()
      return result
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
  }

  /// A server that cannot be started at all is known before the run.
  private static func check(_ command: [String]) throws {
    do throws(ChildProcess.StartError) {
      let child = try ChildProcess(command, isApart: true)
      close(child.input)
      close(child.output)
      child.signal(SIGKILL)
      _ = child.wait()
    } catch {
      throw TargetUnreachable(command: command, cause: "\(error)")
    }
  }

  private static func perform(
    _ plan: Plan, _ target: ReplayTarget, _ dialer: Dialer?, _ options: RunOptions,
    _ stop: RunStop, _ group: MultiThreadedEventLoopGroup
  ) async throws -> RunResult {
    let loops = Array(group.makeIterator())
    let live = LiveThresholds(
      aborting: options.abortOn, demanded: options.thresholds, loops: loops.count
    ) { stop.request() }
    let setup = RunSetup(
      plan: plan, books: RequestShelf(plan.scripts, target), policy: options.policy,
      clock: RunClock(lead: lead + plan.prologue), gauges: RunGauges(taken: plan.slots.count),
      dialer: dialer, target: target, trace: options.trace, loops: loops.count,
      labels: CallLabels(plan.scripts), stageEnds: plan.stages.map(\.end), live: live,
      stall: options.stall, verifier: options.verifier, bearer: options.bearer,
      notice: options.notice, observer: options.observer)
    var header = HeaderLine(recorder: options.program, source: .replay, t0: setup.clock.wall)
    header.payloads = .full
    header.extra.append(ExtraMember(key: "replay", value: RawJSON(RunTrace.origin(plan))))
    options.trace?.begin(header)
    var handles: [LoopHandle] = []
    for (i, loop) in loops.enumerated() {
      handles.append(try await LoopHandle.begin(setup, loop, index: i))
    }
    let feed = LoadFeed(setup, handles)
    async let leftOver = feed.run()
    let watching = Task { await watch(stop, handles) }
    let reporting = Task { await report(setup, options) }
    let keeping = Task { await keep(options, handles) }
    var merged = Recorder(setup.labels, stageEnds: setup.stageEnds)
    var busiest = 0.0
    for handle in handles {
      let (recorder, cpu) = try await handle.finish()
      merged.merge(recorder)
      busiest = max(busiest, cpu)
    }
    reporting.cancel()
    keeping.cancel()
    watching.cancel()
    let stopped = await watching.value
    merged.merge(await leftOver)
    accountForUnstarted(plan, setup.gauges, &merged, interrupted: stopped > 0)
    return RunResult(
      recorder: merged, setup: setup, elapsed: setup.clock.now, busiestLoop: busiest,
      interrupted: stopped > 0 && live?.cause == nil, abortCause: live?.cause)
  }

  private static func keep(_ options: RunOptions, _ handles: [LoopHandle]) async {
    await options.bearer?.keep { credential in
      for handle in handles { handle.take(credential) }
    } notice: {
      options.notice?($0)
    }
  }

  /// Passes requests to stop on; returns how many there were.
  private static func watch(_ stop: RunStop, _ handles: [LoopHandle]) async -> Int {
    var count = 0
    for await _ in stop.stream {
      count += 1
      for handle in handles { handle.stop(count == 1 ? .drain : .now) }
    }
    return count
  }

  private static func report(_ setup: RunSetup, _ options: RunOptions) async {
    guard let progress = options.progress else { return }
    do {
      while true {
        try await Task.sleep(for: .seconds(1))
        progress(setup.clock.now, setup.gauges.progress)
      }
    } catch {
      // Cancelled: the run is over.
      progress(setup.clock.now, setup.gauges.progress)
    }
  }

  /// Agents of a closed load whose turn never came.
  private static func accountForUnstarted(
    _ plan: Plan, _ gauges: RunGauges, _ recorder: inout Recorder, interrupted: Bool
  ) {
    guard plan.isClosed, !plan.isEndless else { return }
    while let agent = plan.agent(gauges.takeNext()) {
      recorder.omit(plan.scripts[agent.script], agent, interrupted ? nil : .duration)
    }
  }
}
