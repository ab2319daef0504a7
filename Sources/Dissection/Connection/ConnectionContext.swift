import Basics
import Trace
import Wire

/// What all layers of one connection share: who it is, where losses go, and what its exchanges went through.
///
/// A hundred thousand are open at once: what is not the connection's own is in the `DissectionContext`.
final class ConnectionContext {
  let flow: FlowID
  let ends: FlowEnds
  let shared: DissectionContext

  init(flow: FlowID, ends: FlowEnds, in shared: DissectionContext) {
    self.flow = flow
    self.ends = ends
    self.shared = shared
  }

  /// As a whole a copy, whose parts both threads would count their references to: not for what every exchange asks.
  var options: DissectionOptions { shared.options }
  var ledger: LossLedger { shared.ledger }

  /// Creates the next exchange of the recording.
  func exchange(_ request: HTTPRequestHead?) -> HTTPExchange {
    HTTPExchange(
      x: shared.numberExchange(), conn: flow, clientHost: ends.client.host, request: request,
      bodies: shared.bodies)
  }

  /// Passes a step of an exchange on to the MCP layer.
  @inline(__always)
  func say(_ step: consuming ExchangeStep, of exchange: HTTPExchange) {
    if !exchange.isTold {
      exchange.isTold = true
      shared.append(.began(exchange.begun))
    }
    shared.append(step)
  }

  /// Whether so many exchanges are under way that one connection may have few; each costs some 2 KiB and its body.
  var isCrowded: Bool { shared.open > ConnectionContext.openLimit }
  private static let openLimit = 8192

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
