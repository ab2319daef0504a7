public import Basics
public import Trace

/// Flow events in, lines of a trace out: one pipeline for every source, without I/O.
///
/// Both halves on one thread. The owner feeds events in capture order, takes what `lines` has after each, and calls `finish` at
/// the end. Memory is bounded by what is open: connections, exchanges under way (bodies up to `bodyLimit`) and sessions not
/// yet idle.
public final class Dissector {
  private let connections: ConnectionStage
  private let sessions: SessionStage
  private var steps = ConnectionStage.Steps()

  /// Creates a dissector, which writes to `lines`; times of the trace count from `t0`.
  public init(t0: Timestamp, options: DissectionOptions, lines: TraceLines) {
    connections = ConnectionStage(t0: t0, options: options)
    sessions = SessionStage(t0: t0, options: options, lines: lines)
  }

  /// Takes the next event.
  public func append(_ event: FlowEvent) {
    connections.append(event)
    steps = connections.takeSteps(reusing: steps)
    sessions.append(&steps)
  }

  /// Ends what is still open at `at`; then take the last lines.
  public func finish(at: Timestamp) {
    connections.finish(at: at)
    steps = connections.takeSteps(reusing: steps)
    sessions.append(&steps)
  }

  /// The balance so far; a source adds its own counters.
  public var footer: FooterLine {
    var footer = connections.footer
    footer.add(sessions.losses)
    return footer
  }
}
