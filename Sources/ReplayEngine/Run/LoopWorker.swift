import Basics
import Glibc
import NIOCore
import NIOPosix
import ReplayPlan
import Spawn
import Trace

/// All agents of one event loop, their timers and their measurements.
final class LoopWorker {
  let loop: any EventLoop
  let clock: RunClock
  let gauges: RunGauges
  let policy: AgentPolicy
  /// The stdio server that every agent starts for itself.
  var command: [String]? { target.command }
  let timers = TimerQueue()
  var recorder: Recorder
  private let readLag = ReadLag()
  /// Nanoseconds until an agent is replaced whose session could not be opened.
  private static let stillbornPause: Int64 = 1_000_000_000
  /// What requests are authorised with, who keeps it fresh, and who waits for that.
  var credential: Credential?
  let bearer: BearerKeeper?
  var refused: [Refused] = []
  let notice: (@Sendable (String) -> Void)?
  let observer: (@Sendable (StepEnd) -> Void)?
  private let nonce: UInt64
  private let plan: Plan
  private let books: RequestShelf
  private let dialer: Dialer?
  /// One for each source address.
  private let bootstraps: [ClientBootstrap]
  private var dialled = 0
  /// Connections that all agents of this loop share.
  private lazy var sharedPool: ConnectionPool? = shareLimit.map {
    ConnectionPool(self, .shared($0), limit: $0)
  }
  private let shareLimit: Int?
  private let numbering: (first: Int, stride: Int)
  private let target: ReplayTarget
  private let trace: RunTrace?
  private let live: LiveThresholds?
  private let stall: Int64
  private let verifier: AnswerVerifier?
  /// Chooses the answers that are compared.
  private var random: SplitMix64
  private var connections = 0
  private var exchanges = 0
  private var sessions = 0
  private var lines: [TraceEvent] = []
  private var roster = Roster()
  private var hasAll = false
  /// Who is in places that close before the run's end.
  private var occupants: [Int: Agent] = [:]
  private var agents: [ObjectIdentifier: Agent] = [:]
  /// Servers of agents by the number of their pipes.
  private var children: [Int: ChildProcess] = [:]
  private var armed: (at: Int64, task: Scheduled<Void>)?
  private var isFiring = false
  private var stopped: AgentStop?
  private let done: EventLoopPromise<Void>
  private lazy var reaper = ProcessReaper(loop, clock) { [unowned self] in checkDone() }
  private var isDone = false
  private var beganAt = threadTime()

  init(_ setup: RunSetup, _ loop: any EventLoop, index: Int) {
    self.loop = loop
    clock = setup.clock
    gauges = setup.gauges
    policy = setup.policy
    plan = setup.plan
    books = setup.books
    dialer = setup.dialer
    bootstraps =
      setup.dialer?.bootstraps(loop, timeout: .nanoseconds(setup.policy.callTimeout)) ?? []
    if case .shared(let count)? = setup.dialer?.mode {
      shareLimit = count / setup.loops + (index < count % setup.loops ? 1 : 0)
    } else {
      shareLimit = nil
    }
    target = setup.target
    bearer = setup.bearer
    notice = setup.notice
    observer = setup.observer
    nonce = setup.nonce
    credential = setup.bearer?.credential
    trace = setup.trace
    recorder = Recorder(setup.labels, stageEnds: setup.stageEnds)
    live = setup.live
    stall = setup.stall
    verifier = setup.verifier
    random = SplitMix64(seed: setup.plan.options.seed &+ UInt64(index))
    numbering = (index + 1, setup.loops)
    recorder.watches = setup.live?.figures.map { LiveWatch($0, setup.labels) } ?? []
    done = loop.makePromise()
  }

  /// Starts; the future completes when the last agent has ended.
  func begin() -> EventLoopFuture<Void> {
    if let duration = plan.options.end {
      loop.assumeIsolated().scheduleTask(deadline: clock.deadline(duration)) {
        self.stop(.duration)
      }
    }
    if trace != nil { scheduleFlush() }
    if live != nil { scheduleSecond(1) }
    if stall > 0 { scheduleStall() }
    rearm()
    checkDone()
    return done.futureResult
  }

  /// Takes agents to start, those that come first before others.
  func add(_ agents: [AwaitedAgent], isLast: Bool) {
    if isLast { hasAll = true }
    if let stopped {
      omit(agents[...], stopped)
    } else {
      roster.add(agents)
    }
    rearm()
    checkDone()
  }

  private func omit(_ agents: ArraySlice<AwaitedAgent>, _ how: AgentStop) {
    for awaited in agents {
      recorder.omit(plan.scripts[awaited.agent.script], awaited.agent, how.skip)
    }
  }

  /// No more agents start; those at work stop as told.
  func stop(_ how: AgentStop) {
    if stopped == nil {
      gauges.stopped(how)
      omit(roster.dismiss(), how)
    }
    stopped = how
    let now = clock.now
    for agent in Array(agents.values) { agent.stop(how, now) }
    checkDone()
  }

  /// Calls the agent's `timer` at that time.
  func wake(_ agent: Agent, at: Int64) {
    timers.arm(agent, at)
    if !isFiring { rearm() }
  }

  /// Arms the loop's timer for the earliest deadline.
  private func rearm() {
    let next = min(timers.next ?? .max, roster.next)
    guard next < .max else { return }
    if let armed, armed.at <= next { return }
    armed?.task.cancel()
    let task = loop.assumeIsolated().scheduleTask(deadline: clock.deadline(next)) { self.fire() }
    armed = (next, task)
  }

  private func fire() {
    armed = nil
    isFiring = true
    let now = clock.now
    while let next = roster.popComing(now) { start(next) }
    while let slot = roster.popClosing(now) {
      occupants.removeValue(forKey: slot.number)?.stop(.duration, now)
    }
    while let agent = timers.pop(now) { agent.timer(clock.now) }
    isFiring = false
    rearm()
  }

  private func start(_ awaited: AwaitedAgent) {
    let planned = awaited.agent
    let script = plan.scripts[planned.script]
    let agent = Agent(planned, script, books[planned.script], self)
    if let feed = target.feed, awaited.number == feed.count { sayFeedIsOver(feed) }
    agent.use(row: target.feed?.row(awaited.number) ?? [], run: nonce)
    agent.slot = awaited.slot
    agents[ObjectIdentifier(agent)] = agent
    if let slot = awaited.slot, slot.closes != nil { occupants[slot.number] = agent }
    gauges.agentStarted()
    recorder.agentStarted(calls: script.callCount(of: planned))
    agent.begin(clock.now)
    agent.timer(clock.now)
  }

  /// Takes that an agent is through; in a closed load the next one takes its place.
  func ended(_ agent: Agent, _ end: AgentEnd) {
    agents[ObjectIdentifier(agent)] = nil
    gauges.agentEnded()
    let now = clock.now
    recorder.agentEnded(end, life: max(0, now - max(0, agent.start)))
    // A server that takes no sessions is not asked for them at full speed.
    let pause = end.isStillborn || !agent.hasSent ? LoopWorker.stillbornPause : 0
    // What was left out at the end of a session takes its time.
    if let slot = agent.slot { replace(slot, max(now + pause, agent.until)) }
    checkDone()
  }

  private func replace(_ slot: PlannedSlot, _ at: Int64) {
    occupants[slot.number] = nil
    guard stopped == nil, at < slot.closes ?? .max else { return }
    let number = gauges.takeNext()
    guard var next = plan.agent(number) else { return }
    next.start = max(0, at)
    roster.add(AwaitedAgent(agent: next, comes: at, slot: slot, number: number))
    rearm()
  }

  /// Share of a processor that this loop took so far.
  var utilisation: Double {
    let elapsed = clock.now
    return elapsed > 0 ? Double(threadTime() - beganAt) / Double(elapsed) : 0
  }

  /// What was measured so far.
  var measured: Recorder {
    var measured = recorder
    measured.readLag = readLag.histogram
    measured.processorTime = threadTime() - beganAt
    return measured
  }

  /// Agents at work.
  var open: [Agent] { Array(agents.values) }

  /// Compares an answer with the recorded one, if its turn has come.
  func verify(
    _ record: RequestRecord, of session: SessionScript, _ label: CallLabels.Label, _ result: RawJSON
  ) {
    guard let verifier, record.outcome == label.then, !record.isPrologue,
      Double.random(in: 0..<1, using: &random) < verifier.options.sample
    else { return }
    recorder.verification.add(verifier.verdict(session, step: record.step, result))
  }

  /// By what the requests of a script are counted.
  func labels(of script: Int) -> [CallLabels.Label] { recorder.labels.steps[script] }

  /// Whether connections speak HTTP/2, and whether they are encrypted.
  var isHTTP2: Bool { dialer?.isHTTP2 ?? false }
  var isSecure: Bool { dialer?.isSecure ?? false }

  /// The connections of a new agent.
  func pool() -> ConnectionPool {
    sharedPool ?? ConnectionPool(self, dialer?.mode ?? .keepAlive)
  }

  func nextConnection() -> Int { number(&connections) }
  func nextExchange() -> Int { number(&exchanges) }

  /// Numbers of all loops together leave no gap that matters and never meet.
  private func number(_ count: inout Int) -> Int {
    count += 1
    return numbering.first + (count - 1) * numbering.stride
  }

  /// The transcript of a new agent, when the run is recorded.
  func transcript(_ script: AgentScript, _ plan: PlannedAgent) -> AgentTranscript? {
    guard trace != nil else { return nil }
    return AgentTranscript(script, plan, name: "s\(number(&sessions))", target: target)
  }

  /// Takes lines for the run's trace.
  func write(_ events: [TraceEvent]) { lines += events }

  func opened(_ connection: AgentConnection) {
    if trace != nil { lines.append(.connection(connection.line(closedAt: nil, how: .fin))) }
  }

  func closed(_ connection: AgentConnection, _ how: FlowEnding) {
    recorder.bytes += connection.bytesSent + connection.bytesReceived
    guard trace != nil else { return }
    lines.append(.connection(connection.line(closedAt: clock.now, how: how)))
  }

  /// Hands lines to the writing thread several times a second.
  private func scheduleFlush() {
    flush()
    guard !isDone else { return }
    loop.assumeIsolated().scheduleTask(in: .milliseconds(250)) { self.scheduleFlush() }
  }

  private func flush() {
    trace?.write(lines)
    lines.removeAll(keepingCapacity: true)
  }

  private func scheduleStall() {
    loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) {
      guard !self.isDone else { return }
      usleep(UInt32(self.stall / 1000))
      self.scheduleStall()
    }
  }

  /// Delivers what was counted at the end of each second of the run.
  private func scheduleSecond(_ number: Int64) {
    loop.assumeIsolated().scheduleTask(deadline: clock.deadline(number * 1_000_000_000)) {
      guard !self.isDone else { return }
      self.live?.deliver(self.numbering.first - 1, self.recorder.takeSecond())
      self.scheduleSecond(number + 1)
    }
  }

  /// Connects, and tells the connection when that fails.
  func dial(_ connection: AgentConnection) {
    guard let dialer else { preconditionFailure("agents with servers of their own dial nobody") }
    let bound = NIOLoopBound(connection, eventLoop: loop)
    let readLag = NIOLoopBound(readLag, eventLoop: loop)
    dialled += 1
    dialer
      .connect(bootstraps[dialled % bootstraps.count]) { channel in
        try readLag.value.watch(channel)
        try channel.pipeline.syncOperations.addHandler(bound.value)
      }
      .assumeIsolated()
      .whenFailure { error in
        self.recorder.connectFailed(error)
        bound.value.over(reset: true)
      }
  }

  /// Starts an agent's own stdio server; `nil` when the system has no means for it.
  func start(_ command: [String], for agent: Agent) -> AgentProcess? {
    let child: ChildProcess
    do throws(ChildProcess.StartError) {
      child = try ChildProcess(command, isApart: true)
    } catch {
      recorder.startFailed(error)
      return nil
    }
    let process = AgentProcess(child, agent, clock, number: nextConnection())
    children[process.number] = child
    let bound = NIOLoopBound(process, eventLoop: loop)
    NIOPipeBootstrap(group: loop)
      .channelOption(.allowRemoteHalfClosure, value: false)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(bound.value)
        }
      }
      .takingOwnershipOfDescriptors(input: child.output, output: child.input)
      .assumeIsolated()
      .whenFailure { _ in bound.value.over() }
    if trace != nil { lines.append(.connection(process.line(closedAt: nil))) }
    return process
  }

  /// Takes that a server's pipes are closed, by either side.
  func closed(_ process: AgentProcess) {
    guard let child = children.removeValue(forKey: process.number) else { return }
    recorder.bytes += process.bytesSent + process.bytesReceived
    if trace != nil { lines.append(.connection(process.line(closedAt: clock.now))) }
    reaper.add(child)
  }

  private func checkDone() {
    guard hasAll, agents.isEmpty, roster.isEmpty, reaper.isEmpty, !isDone else { return }
    isDone = true
    flush()
    live?.finish(numbering.first - 1, recorder.takeSecond())
    done.succeed()
  }
}
