public import Basics
import MCP
public import Trace
import Wire

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
  /// What waits until it is clear whose it is.
  private var held = HeldSteps()

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
      if let exchange = exchanges[x], conversation.isStateless(exchange, content) {
        conversation.assign(exchange, content)
      }
      requested.append(x)
      hold(x, step, at: sentAt)
    case .switched(let x, let head, _): hold(x, step, at: head.endAt)
    case .answered(let x, let answered): hold(x, step, at: answered.head.firstByteAt)
    case .event(let x, let event):
      with(x) { conversation.hears($0, event) }
      hold(x, step, at: event.lastByteAt)
    case .ended(let x, let ended):
      with(x) { conversation.hears($0, ended) }
      hold(x, step, at: ended.at)
    case .line(let line): conversation.line(line)
    case .linesEnded(let conn, let by, let at): conversation.linesEnded(conn: conn, by: by, at: at)
    case .settle:
      for x in requested { exchanges[x]?.own() }
      requested.removeAll(keepingCapacity: true)
    case .time(let now):
      release(now)
      conversation.sweep(now: now)
    case .finished(let at, let open):
      release(nil)
      conversation.finish(at: at) { open.contains($0) }
    }
  }

  /// Tells a step of an exchange, or keeps it until it is clear whose the exchange is.
  private func hold(_ x: Int, _ step: ExchangeStep, at: Timestamp) {
    guard let agent = exchanges[x]?.agent else { return tell(step) }
    if held.isEmpty, agent.solver.isFirm(x) {
      agent.solver.fix(x)
      return tell(step)
    }
    held.append(.init(x: x, step: step, at: at))
    release(at)
  }

  /// Tells what is clear by now, what waited long enough, and what there is no room for; without a time all.
  private func release(_ now: Timestamp?) {
    while let first = held.first {
      let solver = exchanges[first.x]?.agent?.solver
      let isDue =
        held.isFull || solver?.isFirm(first.x) ?? true
        || now.map { $0 - first.at > HeldSteps.patience } ?? true
      guard isDue else { return }
      solver?.fix(first.x)
      held.removeFirst()
      tell(first.step)
    }
  }

  private func tell(_ step: ExchangeStep) {
    switch step {
    case .requested(let x, let content, let sentAt):
      with(x) { conversation.requested($0, content, sentAt: sentAt) }
    case .switched(let x, let head, let audit):
      with(x) { conversation.switched($0, head, audit) }
    case .answered(let x, let answered): with(x) { conversation.answered($0, answered) }
    case .event(let x, let event): with(x) { conversation.streamed($0, event) }
    case .ended(let x, let ended):
      if let exchange = exchanges.removeValue(forKey: x) { conversation.ended(exchange, ended) }
    case .connection, .loss, .began, .line, .linesEnded, .time, .settle, .finished: break
    }
  }

  /// Every step of an exchange lies between its first and its last.
  private func with(_ x: Int, _ body: (MCPExchange) -> Void) {
    if let exchange = exchanges[x] { body(exchange) }
  }
}
