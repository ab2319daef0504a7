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
  private var exchanges = RecentTable<MCPExchange>()
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

  /// Takes the next steps out of a batch, whose room may then be used again.
  public func append(_ batch: inout ConnectionStage.Steps) {
    for i in batch.steps.indices {
      let start = lines.end
      take(i, of: &batch)
      conversation.limitSessions()
      // What the step lost comes in front of its other lines.
      lines.insert(ledger.takeLines(), at: start)
    }
  }

  /// What was lost in this half; no bytes of streams are.
  public var losses: [String: FooterLine.Loss] { ledger.losses }

  private func take(_ i: Int, of batch: inout ConnectionStage.Steps) {
    switch batch.takeStep(i) {
    case .connection(let line): lines.append(line)
    case .loss(let line): lines.append(line)
    case .began(let begun):
      let x = begun.x
      exchanges.insert(MCPExchange(begun), x)
    case .asked(let x, let role, let payload, let sentAt):
      guard let exchange = exchanges[x] else { return }
      requested(exchange, RequestContent(role, payload), sentAt: sentAt)
    case .requested(let x, let content, let sentAt):
      guard let exchange = exchanges[x] else { return }
      requested(exchange, content, sentAt: sentAt)
    case .switched(let x, let head, let audit):
      guard let exchange = exchanges[x] else { return }
      if isClear(exchange) { return conversation.switched(exchange, head, audit) }
      hold(.switched(x: x, head, audit), of: x, at: head.endAt)
    case .answered(let x, let answered):
      guard let exchange = exchanges[x] else { return }
      if conversation.namesSession(exchange, answered) { letGo(exchange) }
      if isClear(exchange) { return conversation.answered(exchange, answered) }
      hold(.answered(x: x, answered), of: x, at: answered.head.firstByteAt)
    case .event(let x, let heard):
      guard let exchange = exchanges[x] else { return }
      conversation.hears(exchange, heard)
      if isClear(exchange) { return conversation.streamed(exchange, heard) }
      hold(.event(x: x, heard), of: x, at: heard.event.lastByteAt)
    case .ended(let x, let ended):
      guard let exchange = exchanges[x] else { return }
      conversation.hears(exchange, ended)
      guard isClear(exchange) else { return hold(.ended(x: x, ended), of: x, at: ended.at) }
      exchanges.remove(x)
      conversation.ended(exchange, ended)
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

  private func requested(
    _ exchange: MCPExchange, _ content: RequestContent, sentAt: Timestamp
  ) {
    if conversation.isStateless(exchange, content) { conversation.assign(exchange, content) }
    requested.append(exchange.x)
    if isClear(exchange) { return conversation.requested(exchange, content, sentAt: sentAt) }
    hold(.requested(x: exchange.x, content, sentAt: sentAt), of: exchange.x, at: sentAt)
  }

  /// Whether it is clear whose an exchange is, so that its next step can be told.
  private func isClear(_ exchange: MCPExchange) -> Bool {
    guard let agent = exchange.agent else { return true }
    guard held.isEmpty, agent.solver.isFirm(exchange.x) else { return false }
    agent.solver.fix(exchange.x)
    return true
  }

  /// Keeps a step until it is clear whose its exchange is. Every step of an exchange lies between its first and its last.
  private func hold(_ step: ExchangeStep, of x: Int, at: Timestamp) {
    held.append(.init(x: x, step: step, at: at))
    release(at)
  }

  /// The server gave the exchange a session of its own: nothing of it is in doubt, and what follows in the session must find it.
  private func letGo(_ exchange: MCPExchange) {
    for item in held.take(exchange.x) { tell(item.step, of: exchange) }
    conversation.agents.drop(exchange)
    exchange.agent = nil
  }

  /// Tells what is clear by now, what waited long enough, and what there is no room for; without a time all.
  private func release(_ now: Timestamp?) {
    while let first = held.first {
      let exchange = exchanges[first.x]
      let solver = exchange?.agent?.solver
      let isDue =
        held.isFull || solver?.isFirm(first.x) ?? true
        || now.map { $0 - first.at > HeldSteps.patience } ?? true
      guard isDue else { return }
      solver?.fix(first.x)
      held.removeFirst()
      if let exchange { tell(first.step, of: exchange) }
    }
  }

  private func tell(_ step: ExchangeStep, of exchange: MCPExchange) {
    switch step {
    case .requested(_, let content, let sentAt):
      conversation.requested(exchange, content, sentAt: sentAt)
    case .switched(_, let head, let audit): conversation.switched(exchange, head, audit)
    case .answered(_, let answered): conversation.answered(exchange, answered)
    case .event(_, let heard): conversation.streamed(exchange, heard)
    case .ended(let x, let ended):
      exchanges.remove(x)
      conversation.ended(exchange, ended)
    case .connection, .loss, .began, .asked, .line, .linesEnded, .time, .settle, .finished: break
    }
  }
}
