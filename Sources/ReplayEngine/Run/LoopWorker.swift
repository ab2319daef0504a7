import Basics
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
  var recorder = Recorder()
  /// Bytes of one read.
  private static let readSize = 4096
  private let plan: Plan
  private let books: [RequestBook]
  private let bootstrap: ClientBootstrap
  private let address: SocketAddress?
  private let numbering: (first: Int, stride: Int)
  private let target: ReplayTarget
  private let trace: RunTrace?
  private var connections = 0
  private var exchanges = 0
  private var sessions = 0
  private var lines: [TraceEvent] = []
  private var waiting: ArraySlice<PlannedAgent>
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

  init(_ setup: RunSetup, _ loop: any EventLoop, index: Int, agents: [PlannedAgent]) {
    self.loop = loop
    clock = setup.clock
    gauges = setup.gauges
    policy = setup.policy
    plan = setup.plan
    books = setup.books
    address = setup.address
    target = setup.target
    trace = setup.trace
    numbering = (index + 1, setup.loops)
    waiting = agents[...]
    done = loop.makePromise()
    bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(.nanoseconds(setup.policy.callTimeout))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.maxMessagesPerRead, value: 4)
      // What a connection keeps while its agent thinks; NIO's own choice grows to 64 KiB with the answers.
      .channelOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: LoopWorker.readSize))
  }

  /// Starts; the future completes when the last agent has ended.
  func begin() -> EventLoopFuture<Void> {
    if let duration = plan.options.duration {
      loop.assumeIsolated().scheduleTask(deadline: clock.deadline(duration)) {
        self.stop(.duration)
      }
    }
    if trace != nil { scheduleFlush() }
    rearm()
    checkDone()
    return done.futureResult
  }

  /// No more agents start; those at work stop as told.
  func stop(_ how: AgentStop) {
    if stopped == nil {
      for agent in waiting {
        recorder.omit(calls: plan.scripts[agent.script], how == .duration ? .duration : nil)
      }
      waiting = []
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
    let next = min(timers.next ?? .max, waiting.first?.start ?? .max)
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
    while let next = waiting.first, next.start <= now {
      waiting.removeFirst()
      start(next)
    }
    while let agent = timers.pop(now) { agent.timer(clock.now) }
    isFiring = false
    rearm()
  }

  private func start(_ planned: PlannedAgent) {
    let agent = Agent(planned, plan.scripts[planned.script], books[planned.script], self)
    agents[ObjectIdentifier(agent)] = agent
    gauges.agentStarted()
    recorder.agentStarted(calls: agent.script.session.calls)
    agent.begin()
    agent.timer(clock.now)
  }

  /// Takes that an agent is through; in a closed load the next one takes its place.
  func ended(_ agent: Agent, _ end: AgentEnd) {
    agents[ObjectIdentifier(agent)] = nil
    gauges.agentEnded()
    recorder.agentEnded(end, life: clock.now - agent.start)
    if plan.open != nil, stopped == nil, var next = plan.agent(gauges.takeNext()) {
      next.start = clock.now
      waiting.insert(next, at: waiting.startIndex)
      rearm()
    }
    checkDone()
  }

  /// Share of a processor that this loop took so far.
  var utilisation: Double {
    let elapsed = clock.now
    return elapsed > 0 ? Double(threadTime() - beganAt) / Double(elapsed) : 0
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

  /// Connects, and tells the connection when that fails.
  func dial(_ connection: AgentConnection) {
    guard let address else { preconditionFailure("agents with servers of their own dial nobody") }
    let bound = NIOLoopBound(connection, eventLoop: loop)
    bootstrap
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(bound.value)
        }
      }
      .connect(to: address)
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
    guard agents.isEmpty, waiting.isEmpty, reaper.isEmpty, !isDone else { return }
    isDone = true
    flush()
    done.succeed()
  }
}
