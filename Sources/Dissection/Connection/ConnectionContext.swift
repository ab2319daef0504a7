import Basics
import Trace
import Wire

/// What all layers of one connection share: who it is, where losses go, and what its exchanges went through.
final class ConnectionContext {
  let flow: FlowID
  let ends: FlowEnds
  let options: DissectionOptions
  let ledger: LossLedger
  private let sink: StepSink

  init(
    flow: FlowID, ends: FlowEnds, ledger: LossLedger, options: DissectionOptions, sink: StepSink
  ) {
    self.flow = flow
    self.ends = ends
    self.ledger = ledger
    self.options = options
    self.sink = sink
  }

  /// Creates the next exchange of the recording.
  func exchange(_ request: HTTPRequestHead?) -> HTTPExchange {
    HTTPExchange(
      x: sink.numberExchange(), conn: flow, clientHost: ends.client.host, request: request,
      options: options)
  }

  /// Passes a step of an exchange on to the MCP layer.
  func say(_ step: ExchangeStep, of exchange: HTTPExchange) {
    if !exchange.isTold {
      exchange.isTold = true
      sink.append(.began(exchange.begun))
    }
    sink.append(step)
  }

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
