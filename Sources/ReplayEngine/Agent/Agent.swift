import Basics
import NIOCore
import ReplayPlan
import Wire

/// An agent at work: its machine, its connections, and nothing that decides.
///
/// Confined to its event loop for life.
final class Agent {
  /// Its place in the loop's timer queue, negative when it has none.
  var timerPlace = -1
  let script: AgentScript
  let plan: PlannedAgent
  /// When its session began, nanoseconds since the run's beginning.
  let start: Int64
  /// Its place in a closed load.
  var slot: PlannedSlot?
  private var machine: AgentMachine
  private unowned let worker: LoopWorker
  private let pool: ConnectionPool
  private let labels: [CallLabels.Label]
  /// Calls on their way, each with the bytes of MCP that the session had exchanged before.
  private var callsInFlight: [(step: Int, bytes: Int)] = []
  private var mcpBytes = 0
  /// The answer that is being looked at.
  private var answer: JSONRPCMessage?
  private var todo: [AgentAction] = []
  private var isPerforming = false
  private(set) var isFinished = false
  private var transcript: AgentTranscript?
  /// Its own stdio server, and the exchanges of requests that it has not answered by id.
  private var process: AgentProcess?
  private var asked: [RawJSON: Int] = [:]
  private var hadProcess = false

  /// Nanoseconds of thinking from which on a connection keeps nothing that makes it faster: most agents think at any time.
  private static let longThought: Int64 = 1_000_000_000

  init(_ plan: PlannedAgent, _ script: AgentScript, _ book: RequestBook, _ worker: LoopWorker) {
    self.plan = plan
    self.script = script
    self.worker = worker
    pool = worker.pool()
    start = plan.start
    labels = worker.labels(of: plan.script)
    machine = AgentMachine(script, book, worker.policy, start: plan.start, seed: plan.seed)
    machine.use(worker.credential)
    transcript = worker.transcript(script, plan)
  }

  /// When its session is over, also when its last steps were left out.
  var until: Int64 { machine.until }
  var hasSent: Bool { machine.hasSent }

  func begin(_ now: Int64) { perform(machine.begin(at: now)) }
  func timer(_ now: Int64) { perform(machine.timer(now)) }
  func stop(_ how: AgentStop, _ now: Int64) { perform(machine.stop(how, now)) }

  func use(row: [RawJSON?], run: UInt64) { machine.use(row: row, run: run) }
  func take(_ credential: Credential) { machine.use(credential) }
  func reauthorized(_ step: Int, _ now: Int64) { perform(machine.reauthorized(step, now)) }

  /// Takes part of an answer.
  func received(_ exchange: Int, _ event: AnswerDecoder.Event) {
    transcript?.received(exchange, shown(event))
    if case .garbage(let bytes, _) = event { worker.recorder.garbage(bytes) }
    if case .message(let message, _, _, _) = event { look(message) }
    carryOut(machine.received(exchange, event, worker.clock.now))
    answer = nil
  }

  /// An answer as the trace may have it: a server may repeat the token that it was given.
  private func shown(_ event: AnswerDecoder.Event) -> AnswerDecoder.Event {
    guard let credential = worker.credential,
      case .message(var message, let isEvent, let first, let at) = event
    else { return event }
    message.content = message.content.map(credential.masked)
    return .message(message, isEvent: isEvent, firstByteAt: first, at: at)
  }

  private func look(_ message: JSONRPCMessage) {
    mcpBytes += message.bytes
    answer = message
  }

  /// Takes that there will be no answer, or no more of it.
  func failed(_ exchange: Int, _ now: Int64) {
    transcript?.failed(exchange, at: now)
    perform(machine.failed(exchange, now))
  }

  /// Takes that a request was given to the kernel, or to a connection that is being made.
  func sent(_ transmission: Transmission, on conn: Int, at now: Int64? = nil) {
    note(transmission, conn, now ?? worker.clock.now)
  }

  /// Takes that a request waits for a connection.
  func queued(_ exchange: Int) { machine.queued(exchange, at: worker.clock.now) }

  /// Whether a request that waits for a connection is still to be sent.
  func isWaiting(for exchange: Int) -> Bool { !isFinished && machine.isWaiting(for: exchange) }

  func perform(_ actions: [AgentAction]) {
    carryOut(actions)
    settle()
  }

  /// After all that was to be told for now: does what is due already, and waits for the rest.
  func settle() {
    guard !isPerforming, !isFinished else { return }
    while let next = machine.nextDeadline {
      let now = worker.clock.now
      guard next <= now else {
        worker.wake(self, at: next)
        if next - now > Agent.longThought { pool.rest() }
        break
      }
      carryOut(machine.timer(now))
      if isFinished { return }
    }
    writeTranscript()
  }

  /// One action may lead to others: they are done behind it.
  private func carryOut(_ actions: [AgentAction]) {
    guard !actions.isEmpty else { return }
    guard !isPerforming else {
      todo += actions
      return
    }
    isPerforming = true
    for action in actions { perform(action) }
    while !todo.isEmpty {
      let batch = todo
      todo = []
      for action in batch { perform(action) }
    }
    isPerforming = false
  }

  private func perform(_ action: AgentAction) {
    switch action {
    case .send(let transmission): send(transmission)
    case .abandon(let exchange): pool.abandon(exchange, of: self)
    case .record(let record):
      count(record)
      transcript?.ended(record)
    case .taskOver(let record): count(record)
    case .settled(let record): transcript?.ended(record)
    case .repeated(let record, let method):
      worker.recorder.repeated(record, method)
      transcript?.ended(record)
    case .needsCredential(let i, let stale): worker.renew(self, i, stale: stale)
    case .unresolved(let missing): worker.recorder.unresolved.add(missing, script)
    case .omitted(let i, let reason):
      worker.recorder.omit(reason)
      tell(i, .omitted(reason))
    case .untold(let i): worker.recorder.untold[script.session.steps[i].method, default: 0] += 1
    case .finished(let end): finish(end)
    }
  }

  private func count(_ record: RequestRecord) {
    let label = labels[record.step]
    if let at = callsInFlight.firstIndex(where: { $0.step == record.step }) {
      let call = callsInFlight.remove(at: at)
      let isFailure = !label.isSuccess(record.outcome)
      worker.gauges.callEnded(failed: isFailure)
      if isFailure { noteFailure(record, before: call.bytes) }
    }
    worker.recorder.add(record, label)
    if worker.observer != nil {
      let content = answer.flatMap { $0.kind == .result || $0.kind == .error ? $0.content : nil }
      tell(
        record.step,
        .over(record, answer: content.map { worker.credential?.masked($0).owned ?? $0.owned }))
    }
    if let result = answer?.content, answer?.kind == .result, label.isCall {
      worker.verify(record, of: script.session, label, result)
    }
  }

  /// Tells who looks at each step what became of one.
  private func tell(_ step: Int, _ how: StepEnd.How) {
    worker.observer?(StepEnd(script: plan.script, step: step, how: how))
  }

  private func noteFailure(_ record: RequestRecord, before bytes: Int) {
    worker.recorder.bytesAtRisk += bytes
    guard !worker.recorder.failures.isFull(record.outcome) else { return }
    let step = script.session.steps[record.step]
    worker.recorder.failures.add(
      .init(
        outcome: record.outcome, agent: "\(script.session.name).\(plan.clone)", n: step.n,
        tool: step.tool ?? "", at: record.sent, took: record.done - record.sent,
        status: record.status, code: record.code, answer: nil),
      answer.flatMap { $0.kind == .result || $0.kind == .error ? $0.content : nil }
        .map { worker.credential?.masked($0) ?? $0 })
  }

  private func send(_ transmission: Transmission) {
    noteCall(transmission)
    if let command = worker.command {
      tell(transmission, command)
    } else {
      pool.send(job(transmission))
    }
  }

  private func job(_ transmission: Transmission) -> AgentConnection.Job {
    var job = AgentConnection.Job(agent: self, transmission: transmission)
    switch transmission.purpose {
    case .step(let i):
      let label = labels[i]
      job.isLong = label.isLongLived || label.isStream
      job.place = label.connection
      job.isLast = label.isLastOnConnection
    case .resume(let i), .recovery(let i): job.isLong = labels[i].isStream
    case .serverAnswer, .cancelNotice: break
    }
    return job
  }

  private func noteCall(_ transmission: Transmission) {
    if case .step(let i) = transmission.purpose, labels[i].isCall,
      !callsInFlight.contains(where: { $0.step == i })
    {
      callsInFlight.append((i, mcpBytes))
      worker.gauges.callSent()
    }
    mcpBytes += transmission.bodyLength
  }

  private func note(_ transmission: Transmission, _ conn: Int, _ now: Int64) {
    machine.sent(transmission.exchange, at: now)
    let x = worker.command == nil ? worker.nextExchange() : nil
    transcript?.sent(transmission, conn: conn, x: x, at: now)
  }

  private func finish(_ end: AgentEnd) {
    isFinished = true
    worker.timers.disarm(self)
    transcript?.finish(end, hasSessionID: machine.sessionID != nil, at: worker.clock.now)
    pool.release(self)
    if let process { self.end(process) }
    writeTranscript()
    worker.ended(self, end)
  }

  private func writeTranscript() {
    guard let lines = transcript?.events, !lines.isEmpty else { return }
    worker.write(lines)
    transcript?.events.removeAll(keepingCapacity: true)
  }
}

/// Agents with a stdio server of their own.
extension Agent {
  /// Sends a message to the server, which is started with the first one: that is part of what a client waits for.
  private func tell(_ transmission: Transmission, _ command: [String]) {
    let now = worker.clock.now
    let exchange = transmission.exchange
    var isRecovery = false
    let step: Int?
    switch transmission.purpose {
    case .step(let i): step = i
    case .recovery(let i):
      step = i
      isRecovery = true
    case .resume, .serverAnswer, .cancelNotice: step = nil
    }
    if process == nil, !hadProcess || isRecovery {
      hadProcess = true
      process = worker.start(command, for: self)
    }
    note(transmission, process?.number ?? 0, now)
    guard let process else { return failed(exchange, now) }
    let bytes = transmission.bytes
    let body = bytes.getSlice(
      at: bytes.writerIndex - transmission.bodyLength, length: transmission.bodyLength)
    guard let step, script.session.steps[step].kind == .request, let id = transmission.id
    else {
      process.send(body ?? ByteBuffer())
      // Nothing answers the rest: said is done.
      return conclude(exchange, now)
    }
    // Before it is sent: a server that is gone is known at once.
    asked[id] = exchange
    process.send(body ?? ByteBuffer())
  }

  /// Takes a message of the server.
  func heard(_ message: JSONRPCMessage, firstByteAt: Int64, at: Int64) {
    let isAnswer = message.kind == .result || message.kind == .error
    let exchange = isAnswer ? message.id.flatMap { asked.removeValue(forKey: $0) } : nil
    let event = AnswerDecoder.Event.message(
      message, isEvent: false, firstByteAt: firstByteAt, at: at)
    let number = exchange ?? AgentTranscript.processExchange
    transcript?.received(number, event)
    look(message)
    perform(machine.received(number, event, worker.clock.now))
    answer = nil
    if let exchange { conclude(exchange, at) }
  }

  /// Takes bytes of the server that are no message.
  func garbage(_ bytes: Int) { worker.recorder.garbage(bytes) }

  /// Takes that the server has ended: nothing it was asked will be answered.
  func processEnded(_ process: AgentProcess, _ now: Int64) {
    end(process)
    for exchange in asked.values.sorted() { failed(exchange, now) }
    asked = [:]
    perform(machine.serverEnded(now))
  }

  private func end(_ ended: AgentProcess) {
    process = nil
    ended.close()
    worker.closed(ended)
  }

  private func conclude(_ exchange: Int, _ at: Int64) {
    let end = AnswerDecoder.Event.end(
      isComplete: true, reusable: true, unreadable: false, at: at)
    transcript?.received(exchange, end)
    perform(machine.received(exchange, end, worker.clock.now))
  }

}
