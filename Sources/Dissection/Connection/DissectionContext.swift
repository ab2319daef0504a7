import Trace

/// What all connections of a recording share: where losses go, and what they tell, in one order.
final class DissectionContext {
  let options: DissectionOptions
  let bodies: BodyRule
  let ledger: LossLedger
  /// Steps not yet taken.
  private(set) var steps: [ExchangeStep] = []
  /// Exchanges under way.
  private(set) var open = 0
  private var exchanges = 0

  init(options: DissectionOptions, ledger: LossLedger) {
    self.options = options
    bodies = BodyRule(limit: options.bodyLimit, hashes: options.exchanges)
    self.ledger = ledger
  }

  /// Numbers the next exchange of the recording.
  func numberExchange() -> Int {
    exchanges += 1
    open += 1
    return exchanges
  }

  /// Appends a step.
  @inline(__always)
  func append(_ step: consuming ExchangeStep) { steps.append(step) }

  /// Notes that an exchange is over.
  func closeExchange() { open -= 1 }

  /// Puts losses in front of the steps that came about with them, which are those from `start` on.
  func insert(_ losses: [LossLine], at start: Int) {
    if !losses.isEmpty { steps.insert(contentsOf: losses.map { .loss($0) }, at: start) }
  }

  /// Takes all steps; the next ones are put where others were taken out.
  func takeSteps(reusing spent: consuming [ExchangeStep]) -> [ExchangeStep] {
    spent.removeAll(keepingCapacity: spent.capacity <= DissectionContext.mostKept)
    swap(&spent, &steps)
    return spent
  }

  /// Room for so many steps is used again, a megabyte; for more it is made anew.
  private static let mostKept = 4096
}
