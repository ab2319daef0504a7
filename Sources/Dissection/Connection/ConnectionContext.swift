import Basics
import Trace
import Wire

/// What all layers of one connection share: who it is, where losses go, and what its exchanges went through.
final class ConnectionContext {
  let flow: FlowID
  let ends: FlowEnds
  let options: DissectionOptions
  let ledger: LossLedger
  private let numberExchange: () -> Int
  private var steps: [ExchangeStep] = []

  init(
    flow: FlowID, ends: FlowEnds, ledger: LossLedger, options: DissectionOptions,
    numberExchange: @escaping () -> Int
  ) {
    self.flow = flow
    self.ends = ends
    self.ledger = ledger
    self.options = options
    self.numberExchange = numberExchange
  }

  /// Creates the next exchange of the recording.
  func exchange(_ request: HTTPRequestHead?) -> HTTPExchange {
    HTTPExchange(
      x: numberExchange(), conn: flow, clientHost: ends.client.host, request: request,
      options: options)
  }

  /// Passes a step on to the MCP layer.
  func say(_ step: ExchangeStep) { steps.append(step) }

  /// Passes the steps that came about since the last call to `body`, in order.
  func drainSteps(_ body: (ExchangeStep) -> Void) {
    guard !steps.isEmpty else { return }
    for step in steps { body(step) }
    steps.removeAll(keepingCapacity: steps.capacity <= ConnectionContext.stepsKept)
  }

  /// A burst's memory is not kept for the life of the connection.
  private static let stepsKept = 8

  /// Counts bytes of the connection as part of messages, or of a protocol below them.
  func explain(_ bytes: Int) { ledger.bytesExplained += bytes }

  /// Counts bytes of the connection that are part of nothing.
  func lose(_ kind: String, bytes: Int, at: Timestamp) {
    ledger.note(LossLine(t: 0, kind: kind, bytes: bytes, conn: flow.number), at: at)
  }

  /// Counts something that befell the connection; no bytes are lost by it.
  func note(_ kind: String, at: Timestamp) {
    ledger.note(LossLine(t: 0, kind: kind, conn: flow.number), at: at)
  }

  /// Counts something that the messages of an exchange lack; its bytes are explained.
  func flaw(_ kind: String, of exchange: HTTPExchange, at: Timestamp) {
    ledger.note(LossLine(t: 0, kind: kind, conn: flow.number, x: exchange.x), at: at)
  }
}
