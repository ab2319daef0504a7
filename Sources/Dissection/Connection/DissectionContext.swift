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
  func append(_ step: consuming ExchangeStep) { steps.append(step) }

  /// Notes that an exchange is over.
  func closeExchange() { open -= 1 }

  /// Puts losses in front of the steps that came about with them, which are those from `start` on.
  func insert(_ losses: [LossLine], at start: Int) {
    if !losses.isEmpty { steps.insert(contentsOf: losses.map { .loss($0) }, at: start) }
  }

  /// Takes all steps.
  func takeSteps() -> [ExchangeStep] {
    guard !steps.isEmpty else { return [] }
    var taken: [ExchangeStep] = []
    taken.reserveCapacity(min(steps.count, DissectionContext.mostReserved))
    swap(&taken, &steps)
    return taken
  }

  /// Room for the next steps is made as large as the last took, up to this.
  private static let mostReserved = 1024
}
