import Basics
import NIOCore
import ReplayPlan

/// An agent at work: its machine, its connections, and nothing that decides.
///
/// Confined to its event loop for life.
final class Agent {
  /// Its deadline in the loop's timer queue.
  var armedAt: Int64?
  let script: AgentScript
  let plan: PlannedAgent
  /// When it began, nanoseconds since the run's beginning.
  let start: Int64
  private var machine: AgentMachine
  private unowned let worker: LoopWorker
  private var idle: [AgentConnection] = []
  private var busy: [AgentConnection] = []
  private var callsInFlight: Set<Int> = []
  private var todo: [AgentAction] = []
  private var isPerforming = false
  private var isFinished = false
  private var transcript: AgentTranscript?

  init(_ plan: PlannedAgent, _ script: AgentScript, _ book: RequestBook, _ worker: LoopWorker) {
    self.plan = plan
    self.script = script
    self.worker = worker
    start = plan.start
    machine = AgentMachine(script, book, worker.policy, start: plan.start)
    transcript = worker.transcript(script, plan)
  }

  func begin() { perform(machine.begin()) }
  func timer(_ now: Int64) { perform(machine.timer(now)) }
  func stop(_ how: AgentStop, _ now: Int64) { perform(machine.stop(how, now)) }

  /// Takes part of an answer.
  func received(_ exchange: Int, _ event: AnswerDecoder.Event) {
    transcript?.received(exchange, event)
    if case .garbage(let bytes, _) = event { worker.recorder.garbage(bytes) }
    perform(machine.received(exchange, event, worker.clock.now))
  }

  /// Takes the end of an answer; its connection may serve again.
  func answered(
    _ connection: AgentConnection, _ exchange: Int, _ event: AnswerDecoder.Event, reusable: Bool
  ) {
    busy.removeAll { $0 === connection }
    if reusable, !isFinished { idle.append(connection) } else { close(connection, .fin) }
    received(exchange, event)
  }

  /// Closes a connection that no exchange uses.
  func drop(_ connection: AgentConnection) {
    idle.removeAll { $0 === connection }
    busy.removeAll { $0 === connection }
    close(connection, .fin)
  }

  private func close(_ connection: AgentConnection, _ how: FlowEnding) {
    worker.closed(connection, how)
    connection.close()
  }

  /// Takes that a connection is up.
  func connected(_ connection: AgentConnection) { worker.opened(connection) }

  /// Takes that a connection is gone, with or without a request on its way.
  func lost(_ connection: AgentConnection, _ now: Int64, reset: Bool) {
    idle.removeAll { $0 === connection }
    busy.removeAll { $0 === connection }
    worker.closed(connection, reset ? .reset : .fin)
    guard let transmission = connection.transmission else { return }
    if connection.isReused, !connection.hasAnswer, !isFinished {
      // The server closed while it was idle: real clients dial again, once.
      dial(transmission)
      return
    }
    transcript?.failed(transmission.exchange, at: now)
    perform(machine.failed(transmission.exchange, now))
  }

  private func perform(_ actions: [AgentAction]) {
    todo += actions
    guard !isPerforming else { return }
    isPerforming = true
    while !todo.isEmpty {
      let batch = todo
      todo.removeAll(keepingCapacity: true)
      for action in batch { perform(action) }
    }
    isPerforming = false
    if isFinished { return }
    writeTranscript()
    if let next = machine.nextDeadline { worker.timers.arm(self, next) }
    worker.rearm()
  }

  private func perform(_ action: AgentAction) {
    switch action {
    case .send(let transmission): send(transmission)
    case .abandon(let exchange):
      for connection in busy where connection.transmission?.exchange == exchange {
        drop(connection)
      }
    case .record(let record):
      if callsInFlight.remove(record.step) != nil {
        let step = script.session.steps[record.step]
        worker.gauges.callEnded(failed: !step.isSuccess(record.outcome))
      }
      worker.recorder.add(record, script.session.steps[record.step])
      transcript?.ended(record)
    case .settled(let record): transcript?.ended(record)
    case .unresolved(let missing): worker.recorder.unresolved.add(missing, script)
    case .omitted(_, let reason): worker.recorder.omit(reason)
    case .finished(let end): finish(end)
    }
  }

  private func send(_ transmission: Transmission) {
    if case .step(let i) = transmission.purpose, script.session.steps[i].isCall,
      callsInFlight.insert(i).inserted
    {
      worker.gauges.callSent()
    }
    if let connection = idle.popLast() {
      busy.append(connection)
      connection.send(transmission)
      note(transmission, connection, worker.clock.now)
    } else {
      // Dialling is part of what a client waits for.
      let now = worker.clock.now
      note(transmission, dial(transmission), now)
    }
  }

  private func note(_ transmission: Transmission, _ connection: AgentConnection, _ now: Int64) {
    machine.sent(transmission.exchange, at: now)
    transcript?.sent(transmission, conn: connection.number, x: worker.nextExchange(), at: now)
  }

  @discardableResult
  private func dial(_ transmission: Transmission) -> AgentConnection {
    let connection = AgentConnection(self, worker.clock, number: worker.nextConnection())
    connection.transmission = transmission
    busy.append(connection)
    worker.dial(connection)
    return connection
  }

  private func finish(_ end: AgentEnd) {
    isFinished = true
    armedAt = nil
    transcript?.finish(end, hasSessionID: machine.sessionID != nil, at: worker.clock.now)
    for connection in idle + busy { close(connection, .fin) }
    idle = []
    busy = []
    writeTranscript()
    worker.ended(self, end)
  }

  private func writeTranscript() {
    guard let lines = transcript?.events, !lines.isEmpty else { return }
    worker.write(lines)
    transcript?.events.removeAll(keepingCapacity: true)
  }
}
