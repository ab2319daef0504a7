public import Basics
import NIOCore
public import Trace
import Wire

/// Flow events in, trace events out: one pipeline for every source, without I/O.
///
/// The owner feeds events in capture order, drains `next()` after each, and calls `finish` at the end. Memory is bounded by what is
/// open: connections, exchanges under way (bodies up to `bodyLimit`) and sessions not yet idle.
public final class Dissector {
  private let conversation: Conversation
  private let ledger: LossLedger
  private let shared: DissectionContext
  private let t0: Timestamp
  private var flows: [FlowID: ConnectionDissector] = [:]
  /// The connection that was looked up last.
  private var last: ConnectionDissector?
  private var openAtEnd: Set<Int> = []
  /// The connections that got bytes in this turn, and how many bytes all got.
  private var touched: [ConnectionDissector] = []
  private var turn = 1
  private var turnBytes = 0
  /// Lines that `next` has told.
  private var taken = 0
  private var latest: Timestamp
  private var sweptAt: Timestamp

  /// Bytes of the traffic whose blocks may be held by what waits: what the queues before and behind hold is as much.
  private static let blocksHeld = 4 << 20

  /// Seconds between looks for idle sessions.
  private static let sweepInterval: Int64 = 10_000_000_000

  /// Creates a dissector; times of the trace count from `t0`.
  public init(t0: Timestamp, options: DissectionOptions) {
    self.t0 = t0
    ledger = LossLedger(t0: t0)
    shared = DissectionContext(options: options, ledger: ledger)
    conversation = Conversation(t0: t0, options: options, ledger: ledger)
    latest = t0
    sweptAt = t0
  }

  /// Takes the next event.
  public func append(_ event: FlowEvent) {
    switch event {
    case .opened(let id, let ends, let at):
      _ = open(id, ends, at)
      tick(at)
    case .bytes(let id, let direction, let bytes, let at):
      let connection = flow(id, at)
      connection.append(direction, bytes, at: at)
      advance(connection)
      release(connection, bytes.readableBytes)
      tick(at)
    case .gap(let id, let direction, let count, let at):
      let connection = flow(id, at)
      connection.gap(direction, count, at: at)
      advance(connection)
      tick(at)
    case .ended(let id, let direction, let how, let at):
      let connection = flow(id, at)
      if how == .captureEnd, !connection.streamEnds.areBoth { openAtEnd.insert(id.number) }
      connection.end(direction, how, at: at)
      advance(connection)
      if connection.streamEnds.areBoth { close(connection) }
      tick(at)
    }
  }

  /// Returns the next trace event, `nil` when more input is needed.
  public func next() -> TraceEvent? {
    guard taken < conversation.lines.count else {
      conversation.lines.removeAll(keepingCapacity: true)
      taken = 0
      return nil
    }
    taken += 1
    return conversation.lines[taken - 1]
  }

  /// Returns all trace events that `next` would tell; cheaper than one by one.
  public func takeLines() -> [TraceEvent] {
    var lines: [TraceEvent] = []
    swap(&lines, &conversation.lines)
    if taken > 0 { lines.removeFirst(taken) }
    taken = 0
    return lines
  }

  /// Ends what is still open at `at`; then drain `next()`.
  public func finish(at: Timestamp) {
    for id in flows.keys.sorted() {
      for direction in [Direction.c2s, .s2c] {
        guard let connection = flows[id] else { continue }
        let isOver =
          (direction == .c2s ? connection.streamEnds.c2s : connection.streamEnds.s2c) != nil
        if !isOver { append(.ended(id, direction, .captureEnd, at: max(at, latest))) }
      }
    }
    let start = conversation.lines.count
    conversation.finish(at: at) { openAtEnd.contains($0) }
    collect(start)
  }

  /// The balance so far; a source adds its own counters.
  public var footer: FooterLine {
    FooterLine(
      counts: [:], bytesIn: ledger.bytesIn, bytesExplained: ledger.bytesExplained,
      loss: ledger.losses)
  }

  private func open(_ id: FlowID, _ ends: FlowEnds, _ at: Timestamp) -> ConnectionDissector {
    let connection = ConnectionDissector(
      ConnectionContext(flow: id, ends: ends, in: shared), at: at)
    flows[id] = connection
    conversation.lines.append(.connection(line(connection)))
    return connection
  }

  /// The connection of a flow; one that was never opened is taken as joined in the middle.
  private func flow(_ id: FlowID, _ at: Timestamp) -> ConnectionDissector {
    if let last, last.flow == id { return last }
    if let connection = flows[id] {
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
    conversation.lines.append(.connection(line))
    flows[connection.flow] = nil
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
    guard turnBytes >= Dissector.blocksHeld else { return }
    for connection in touched { connection.own() }
    touched.removeAll(keepingCapacity: true)
    turnBytes = 0
    turn += 1
  }

  private func advance(_ connection: ConnectionDissector) {
    let start = conversation.lines.count
    connection.drainSteps { conversation.take($0) }
    collect(start)
  }

  /// Puts the losses of the last event in front of its other lines.
  private func collect(_ start: Int) {
    let losses = ledger.takeLines()
    if !losses.isEmpty { conversation.lines.insert(contentsOf: losses, at: start) }
  }

  private func tick(_ at: Timestamp) {
    latest = max(latest, at)
    guard latest - sweptAt > Dissector.sweepInterval || conversation.isFull else { return }
    sweptAt = latest
    let start = conversation.lines.count
    conversation.sweep(now: latest)
    collect(start)
  }
}
