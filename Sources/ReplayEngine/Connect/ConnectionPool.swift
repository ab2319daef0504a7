import Basics
import NIOCore
import ReplayPlan

/// The connections of one agent, or of all agents of a loop.
///
/// Theory: a request goes to a connection that can take it, else a new one is dialled as long as there may be more, else it waits
/// for one. Which connection can take it is the mode's affair: `recorded` names the place it had in the recording, `per-request`
/// takes none twice, shared connections are taken in turn. What stays open for long has a connection of its own in a shared pool
/// over HTTP/1.1: it would take one from the others for good.
final class ConnectionPool {
  private unowned let worker: LoopWorker
  private let mode: ConnectionMode
  /// Connections that all agents share; `nil` for an agent's own.
  private let limit: Int?
  private var connections: [AgentConnection] = []
  private var waiting = CircularBuffer<AgentConnection.Job>(initialCapacity: 0)

  init(_ worker: LoopWorker, _ mode: ConnectionMode, limit: Int? = nil) {
    self.worker = worker
    self.mode = mode
    self.limit = limit
  }

  /// Sends a request, or notes it for later.
  func send(_ job: AgentConnection.Job) {
    if let connection = taker(of: job) { return give(job, to: connection) }
    if let limit, !job.isLong, connections.count(where: { !$0.isApart }) >= limit {
      waiting.append(job)
      job.agent.queued(job.transmission.exchange)
      return
    }
    dial(job)
  }

  /// The connection for a request, where there is one.
  private func taker(of job: AgentConnection.Job) -> AgentConnection? {
    switch mode {
    case .perRequest: return nil
    case .keepAlive: return connections.last { $0.hasRoom }
    case .recorded:
      guard let place = job.place else { return connections.last { $0.hasRoom } }
      if let own = connections.first(where: { $0.place == place }) {
        return own.hasRoom ? own : connections.last { $0.hasRoom }
      }
      return nil
    case .shared:
      if job.isLong, !worker.isHTTP2 { return nil }
      // All of them are opened before two requests share one.
      if worker.isHTTP2, connections.count < limit ?? 1 { return nil }
      return connections.filter { $0.hasRoom && !$0.isApart }.min { $0.load < $1.load }
    }
  }

  private func give(_ job: AgentConnection.Job, to connection: AgentConnection) {
    connection.send(job)
    job.agent.sent(job.transmission, on: connection.number)
  }

  /// Dialling is part of what a client waits for.
  private func dial(_ job: AgentConnection.Job) {
    let connection = AgentConnection(self, worker, number: worker.nextConnection())
    connection.place = job.place
    connection.isApart = limit != nil && job.isLong && !worker.isHTTP2
    connections.append(connection)
    let now = worker.clock.now
    connection.send(job)
    worker.dial(connection)
    job.agent.sent(job.transmission, on: connection.number, at: now)
  }

  /// Sends a request again whose connection was closed before the server looked at it.
  func sendAgain(_ job: AgentConnection.Job) {
    guard !job.agent.isFinished else { return }
    if worker.isHTTP2, let connection = taker(of: job) { return connection.send(job) }
    let connection = AgentConnection(self, worker, number: worker.nextConnection())
    connection.place = job.place
    connections.append(connection)
    connection.send(job)
    worker.dial(connection)
  }

  /// An answer is over and its connection can serve again, unless it is not to.
  func finished(_ job: AgentConnection.Job, on connection: AgentConnection, reusable: Bool) {
    let isDone: Bool
    switch mode {
    case .perRequest: isDone = true
    case .recorded: isDone = job.isLast && connection.load == 0
    case .keepAlive, .shared: isDone = false
    }
    if isDone || !reusable || limit == nil && job.agent.isFinished { return drop(connection) }
    serveNext()
  }

  private func serveNext() {
    while let job = waiting.first {
      guard job.agent.isWaiting(for: job.transmission.exchange) else {
        waiting.removeFirst()
        continue
      }
      if let connection = taker(of: job) {
        waiting.removeFirst()
        give(job, to: connection)
      } else if connections.count(where: { !$0.isApart }) < limit ?? .max {
        waiting.removeFirst()
        dial(job)
      } else {
        return
      }
    }
  }

  /// Closes a connection; what is on it is failed where that is told.
  func drop(_ connection: AgentConnection, failing: Bool = false) {
    if failing { return connection.over(reset: true) }
    guard let at = connections.firstIndex(where: { $0 === connection }) else { return }
    connections.remove(at: at)
    worker.closed(connection, .fin)
    connection.close()
    serveNext()
  }

  /// Takes that a connection is gone by itself.
  func lost(_ connection: AgentConnection, reset: Bool) {
    guard let at = connections.firstIndex(where: { $0 === connection }) else { return }
    connections.remove(at: at)
    worker.closed(connection, reset ? .reset : .fin)
    serveNext()
  }

  /// An exchange is given up.
  func abandon(_ exchange: Int, of agent: Agent) {
    for connection in connections where connection.abandon(exchange, of: agent) { drop(connection) }
    if let at = waiting.firstIndex(where: {
      $0.agent === agent && $0.transmission.exchange == exchange
    }) {
      waiting.remove(at: at)
    }
  }

  /// An agent needs nothing more.
  func release(_ agent: Agent) {
    guard limit != nil else {
      for connection in connections { drop(connection) }
      return
    }
    waiting.removeAll { $0.agent === agent }
    for connection in connections where connection.abandonAll(of: agent) { drop(connection) }
  }

  /// Nobody will send for long.
  func rest() {
    for connection in connections where connection.load == 0 { connection.rest() }
  }
}
