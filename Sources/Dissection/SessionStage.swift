public import Basics
public import Trace

/// Steps of exchanges in, lines of a trace out: the half of the pipeline that knows sessions and messages.
///
/// Memory is bounded by the sessions that are not yet idle and the exchanges under way.
public final class SessionStage {
  private let lines: TraceLines
  private let conversation: Conversation
  private let ledger: LossLedger
  private var exchanges: [Int: MCPExchange] = [:]
  /// Those that have held pieces of blocks since the last `settle`.
  private var requested: [Int] = []

  /// Creates the stage, which writes to `lines`; times of the trace count from `t0`.
  public init(t0: Timestamp, options: DissectionOptions, lines: TraceLines) {
    self.lines = lines
    ledger = LossLedger(t0: t0)
    conversation = Conversation(t0: t0, options: options, ledger: ledger, lines: lines)
  }

  /// Takes the next steps.
  public func append(_ steps: ConnectionStage.Steps) {
    for step in steps.steps {
      let start = lines.end
      take(step)
      conversation.limitSessions()
      // What the step lost comes in front of its other lines.
      lines.insert(ledger.takeLines(), at: start)
    }
  }

  /// What was lost in this half; no bytes of streams are.
  public var losses: [String: FooterLine.Loss] { ledger.losses }

  private func take(_ step: ExchangeStep) {
    switch step {
    case .connection(let line): lines.append(line)
    case .loss(let line): lines.append(line)
    case .began(let begun): exchanges[begun.x] = MCPExchange(begun)
    case .requested(let x, let content, let sentAt):
      with(x) { conversation.requested($0, content, sentAt: sentAt) }
      requested.append(x)
    case .switched(let x, let head, let audit):
      with(x) { conversation.switched($0, head, audit) }
    case .answered(let x, let answered): with(x) { conversation.answered($0, answered) }
    case .event(let x, let event): with(x) { conversation.streamed($0, event) }
    case .ended(let x, let ended):
      if let exchange = exchanges.removeValue(forKey: x) { conversation.ended(exchange, ended) }
    case .settle:
      for x in requested { exchanges[x]?.own() }
      requested.removeAll(keepingCapacity: true)
    case .time(let now): conversation.sweep(now: now)
    case .finished(let at, let open): conversation.finish(at: at) { open.contains($0) }
    }
  }

  /// Every step of an exchange lies between its first and its last.
  private func with(_ x: Int, _ body: (MCPExchange) -> Void) {
    if let exchange = exchanges[x] { body(exchange) }
  }
}
