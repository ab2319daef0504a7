public import Basics
import NIOCore
public import Trace

/// Flow events in, steps of exchanges out: the half of the pipeline that knows connections.
///
/// The owner feeds events in capture order, takes the steps now and then, and calls `finish` at the end. Memory is bounded by
/// what is open: connections and exchanges under way (bodies up to `bodyLimit`).
public final class ConnectionStage {
  /// Steps on their way to the other half.
  public struct Steps: Sendable {
    var steps: [ExchangeStep] = []

    /// No steps, and no room for any.
    public init() {}

    /// Takes out a step: moved, not copied, so that what it holds is not counted again.
    mutating func takeStep(_ i: Int) -> ExchangeStep { exchange(&steps[i], with: .settle) }
  }

  private let ledger: LossLedger
  private let t0: Timestamp
  private let shared: DissectionContext
  private var flows = RecentTable<ConnectionDissector>()
  /// The connection that was looked up last.
  private var last: ConnectionDissector?
  private var openAtEnd: Set<Int> = []
  /// The connections that got bytes in this turn, and how many bytes all got.
  private var touched: [ConnectionDissector] = []
  /// Those of the turn before.
  private var touchedBefore: [ConnectionDissector] = []
  private var turn = 1
  private var turnBytes = 0
  private var latest: Timestamp
  private var toldAt: Timestamp

  /// Bytes of the traffic whose blocks may be held by what waits: what the queues before and behind hold is as much.
  private static let blocksHeld = 4 << 20

  /// Connections of a turn: those that closed in it are held too.
  private static let touchedKept = 1024

  /// Nanoseconds between two steps that tell the time.
  private static let timeInterval: Int64 = 10_000_000_000

  /// Creates the stage; times of the trace count from `t0`.
  public init(t0: Timestamp, options: DissectionOptions) {
    self.t0 = t0
    ledger = LossLedger(t0: t0)
    shared = DissectionContext(options: options, ledger: ledger)
    latest = t0
    toldAt = t0
  }

  /// Takes the next event.
  public func append(_ event: FlowEvent) {
    let start = shared.steps.count
    switch event {
    case .opened(let id, let ends, let at):
      _ = open(id, ends, at)
      tick(at)
    case .bytes(let id, let direction, let bytes, let at):
      let connection = flow(id, at)
      connection.append(direction, bytes, at: at)
      collect(start)
      release(connection, bytes.readableBytes)
      tick(at)
    case .gap(let id, let direction, let count, let at):
      flow(id, at).gap(direction, count, at: at)
      collect(start)
      tick(at)
    case .ended(let id, let direction, let how, let at):
      let connection = flow(id, at)
      if how == .captureEnd, !connection.streamEnds.areBoth { openAtEnd.insert(id.number) }
      connection.end(direction, how, at: at)
      collect(start)
      if connection.streamEnds.areBoth { close(connection) }
      tick(at)
    }
  }

  /// Whether there are steps to be taken.
  public var hasSteps: Bool { !shared.steps.isEmpty }

  /// Takes the steps so far. `spent` is a batch that the other half is done with: its room is used again.
  public func takeSteps(reusing spent: consuming Steps = Steps()) -> Steps {
    spent.steps = shared.takeSteps(reusing: spent.steps)
    return spent
  }

  /// Ends what is still open at `at`; then take the last steps.
  public func finish(at: Timestamp) {
    for number in flows.keys.sorted() {
      let id = FlowID(number)
      for direction in [Direction.c2s, .s2c] {
        guard let connection = flows[number] else { continue }
        let isOver =
          (direction == .c2s ? connection.streamEnds.c2s : connection.streamEnds.s2c) != nil
        if !isOver { append(.ended(id, direction, .captureEnd, at: max(at, latest))) }
      }
    }
    shared.append(.finished(at: at, open: openAtEnd))
  }

  /// The balance so far; a source and the other half add their own counters.
  public var footer: FooterLine {
    FooterLine(
      counts: [:], bytesIn: ledger.bytesIn, bytesExplained: ledger.bytesExplained,
      loss: ledger.losses)
  }

  private func open(_ id: FlowID, _ ends: FlowEnds, _ at: Timestamp) -> ConnectionDissector {
    let connection = ConnectionDissector(
      ConnectionContext(flow: id, ends: ends, in: shared), at: at)
    flows.insert(connection, id.number)
    shared.append(.connection(line(connection)))
    return connection
  }

  /// The connection of a flow; one that was never opened is taken as joined in the middle.
  private func flow(_ id: FlowID, _ at: Timestamp) -> ConnectionDissector {
    if let last, last.flow == id { return last }
    if let connection = flows[id.number] {
      last = connection
      return connection
    }
    let nowhere = Endpoint(host: "", port: 0)
    return open(id, FlowEnds(client: nowhere, server: nowhere, seenFromStart: false), at)
  }

  private func line(_ connection: ConnectionDissector) -> ConnectionLine {
    var line = ConnectionLine(
      conn: connection.flow.number, t: connection.openedAt - t0,
      client: connection.ends.client.description, server: connection.ends.server.description)
    line.upstream = connection.ends.upstream?.description
    line.content = connection.carries
    line.tls = connection.tls
    return line
  }

  private func close(_ connection: ConnectionDissector) {
    guard let c2s = connection.streamEnds.c2s, let s2c = connection.streamEnds.s2c else { return }
    var line = line(connection)
    line.closed = max(c2s.at, s2c.at) - t0
    let ways = [c2s.how, s2c.how]
    let order: [FlowEnding] = [.reset, .idle, .captureEnd, .fin]
    line.how = order.first { ways.contains($0) }?.rawValue
    line.bytesC2S = connection.bytesC2S
    line.bytesS2C = connection.bytesS2C
    shared.append(.connection(line))
    flows.remove(connection.flow.number)
    last = nil
  }

  /// Has what waits copied now and then: sources give slices of blocks, and a message that stays open for long would keep
  /// the whole block that brought it.
  private func release(_ connection: ConnectionDissector, _ count: Int) {
    if connection.turn != turn {
      connection.turn = turn
      touched.append(connection)
    }
    turnBytes += count
    guard turnBytes >= ConnectionStage.blocksHeld || touched.count >= ConnectionStage.touchedKept
    else { return }
    for connection in touched { connection.own() }
    for connection in touchedBefore where connection.turn != turn { connection.rest() }
    swap(&touched, &touchedBefore)
    touched.removeAll(keepingCapacity: true)
    turnBytes = 0
    turn += 1
    shared.append(.settle)
  }

  /// Puts the losses of the last event in front of its steps.
  private func collect(_ start: Int) { shared.insert(ledger.takeLines(), at: start) }

  private func tick(_ at: Timestamp) {
    latest = max(latest, at)
    guard latest - toldAt > ConnectionStage.timeInterval else { return }
    toldAt = latest
    shared.append(.time(latest))
  }
}
