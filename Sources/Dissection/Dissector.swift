public import Basics
public import Trace

/// Flow events in, trace events out: one pipeline for every source, without I/O.
///
/// Both halves on one thread. The owner feeds events in capture order, drains `next()` after each, and calls `finish` at the end.
/// Memory is bounded by what is open: connections, exchanges under way (bodies up to `bodyLimit`) and sessions not yet idle.
public final class Dissector {
  private let connections: ConnectionStage
  private let sessions: SessionStage
  private var lines: [TraceEvent] = []
  /// Lines that `next` has told.
  private var taken = 0

  /// Creates a dissector; times of the trace count from `t0`.
  public init(t0: Timestamp, options: DissectionOptions) {
    connections = ConnectionStage(t0: t0, options: options)
    sessions = SessionStage(t0: t0, options: options)
  }

  /// Takes the next event.
  public func append(_ event: FlowEvent) {
    connections.append(event)
    sessions.append(connections.takeSteps())
  }

  /// Returns the next trace event, `nil` when more input is needed.
  public func next() -> TraceEvent? {
    if taken == lines.count {
      lines = sessions.takeLines()
      taken = 0
    }
    guard taken < lines.count else { return nil }
    taken += 1
    return lines[taken - 1]
  }

  /// Ends what is still open at `at`; then drain `next()`.
  public func finish(at: Timestamp) {
    connections.finish(at: at)
    sessions.append(connections.takeSteps())
  }

  /// The balance so far; a source adds its own counters.
  public var footer: FooterLine {
    var footer = connections.footer
    footer.add(sessions.losses)
    return footer
  }
}
